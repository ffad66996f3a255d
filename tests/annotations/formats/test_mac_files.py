"""The ``._`` files that macOS writes to foreign disks are neither images nor annotations."""

from pathlib import Path

from PIL import Image

from kpviewer.annotations.checks import check_sets
from kpviewer.annotations.spec import read_annotations

VOC = """<annotation><filename>a.png</filename>
<size><width>40</width><height>30</height><depth>3</depth></size><object><name>cat</name>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>20</ymax></bndbox></object></annotation>"""
PTS = "version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n"


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30)).save(path)


def shadow(path: Path) -> None:
    """Write the ``._`` file that macOS puts beside a file."""
    (path.parent / f"._{path.name}").write_bytes(b"\0\x05\x16\x07" + bytes(60))


def check(spec: str) -> None:
    assert [each.path.name for each in read_annotations(spec).images] == ["a.png"]
    assert check_sets([spec])[0].errors == 0


def test_a_yolo_set_is_read_without_them(tmp_path):
    image(tmp_path / "images" / "a.png")
    labels = tmp_path / "labels" / "a.txt"
    labels.parent.mkdir()
    labels.write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "data.yaml").write_text("names: [cat]\n")
    shadow(tmp_path / "images" / "a.png")
    shadow(labels)
    check(f"yolo:{tmp_path}")


def test_a_voc_set_is_read_without_them(tmp_path):
    image(tmp_path / "JPEGImages" / "a.png")
    text = tmp_path / "Annotations" / "a.xml"
    text.parent.mkdir()
    text.write_text(VOC)
    shadow(tmp_path / "JPEGImages" / "a.png")
    shadow(text)
    check(f"voc:{tmp_path}")


def test_a_set_of_points_is_read_without_them(tmp_path):
    image(tmp_path / "a.png")
    (tmp_path / "a.pts").write_text(PTS)
    shadow(tmp_path / "a.png")
    shadow(tmp_path / "a.pts")
    check(f"pts:{tmp_path}")
