"""Small folders of exactly the shape that public data sets unpack to, with images of one colour."""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image

RGB_CAL = """517.679 0 320
0 517.679 240.5
0 0 1

0 0 0 0

0.999947 0.00432361 0.00929419
-0.00446314 0.999877 0.0150443
-0.009228 -0.015085 0.999844

-24.0198 5.8896 -13.2308

640 480
"""
"""Calibration of BIWI's sequence 12, as its loader on Hugging Face shows it."""
POSE = """0.980639 0.109899 0.162077
-0.11023 0.993882 -0.00697376
-0.161851 -0.011027 0.986754

{x:g} {y:g} {z:g}
"""
CENTRE_MM = (43.4019, -30.7038, 906.864)
"""Centre of the head in that sequence's first frame."""

LABELS_2007 = (
    ("000005.jpg", "chair", "True"),
    ("000007.jpg", "car", "True"),
    ("000009.jpg", "horse person", "True"),
    ("000012.jpg", "car", "False"),
    ("000016.jpg", "chair", "False"),
    ("000017.jpg", "horse person", "False"),
)

CELEBA_NAMES = tuple(f"{index:06d}.jpg" for index in range(1, 7))
CELEBA_PARTS = (0, 0, 0, 0, 1, 2)
CELEBA_ATTRIBUTES = ("Eyeglasses", "Male", "Smiling")
POINT_COLUMNS = [
    f"{name}_{axis}"
    for name in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
    for axis in "xy"
]
ALIGNED, WILD = (69, 109, 106, 113, 77, 142, 73, 152, 108, 154), (
    165, 184, 244, 176, 196, 249, 194, 271, 266, 260)  # fmt: skip


def biwi(folder: Path, sequences: Sequence[str] = ("01", "03", "13", "15")) -> Path:
    """Write BIWI as kinect_head_pose_db.tgz unpacks: ``hpdb`` with three frames a sequence."""
    root = folder / "hpdb"
    for sequence in sequences:
        (root / sequence).mkdir(parents=True)
        (root / f"{sequence}.obj").write_text("v 0 0 0\n")
        for name in ("rgb.cal", "depth.cal"):
            (root / sequence / name).write_text(RGB_CAL)
        for index in range(3, 6):
            stem = root / sequence / f"frame_{index:05d}"
            x, y, z = CENTRE_MM
            stem.with_name(f"{stem.name}_pose.txt").write_text(
                POSE.format(x=x + 40 * (index - 3), y=y, z=z)
            )
            stem.with_name(f"{stem.name}_depth.bin").write_bytes(b"\0" * 8)
            tone = (60 * (index - 2), 10 * int(sequence), 90)
            stem.with_name(f"{stem.name}_rgb.png").write_bytes(_png(tone))
    return root


@cache
def _png(tone: tuple[int, int, int]) -> bytes:
    """Return a file of 640 x 480 px in one colour; compressing it takes longer than to read it."""
    file = BytesIO()
    Image.new("RGB", (640, 480), tone).save(file, "PNG")
    return file.getvalue()


def pascal_2007(folder: Path) -> Path:
    """Write PASCAL 2007 as fastai's pascal_2007.tgz unpacks, without the COCO files in it."""
    root = folder / "pascal_2007"
    (root / "train").mkdir(parents=True)
    (root / "test").mkdir()
    rows = [",".join(row) for row in LABELS_2007]
    (root / "train.csv").write_text("\n".join(["fname,labels,is_valid", *rows, ""]))
    (root / "test.csv").write_text("fname,labels\n000001.jpg,horse person\n")
    for index, (name, _, _) in enumerate(LABELS_2007):
        Image.new("RGB", (500, 375), (40 * index, 90, 60)).save(root / "train" / name)
    Image.new("RGB", (353, 500)).save(root / "test" / "000001.jpg")
    return root


def celeba(folder: Path) -> Path:
    """Write CelebA as its authors' folders are: Anno, Eval, Img."""
    root = folder / "CelebA"
    for name in ("Anno", "Eval", "Img/img_align_celeba", "Img/img_celeba"):
        (root / name).mkdir(parents=True)
    parts = zip(CELEBA_NAMES, CELEBA_PARTS, strict=True)
    (root / "Eval/list_eval_partition.txt").write_text(
        "".join(f"{name} {part}\n" for name, part in parts)
    )
    columns = " ".join(POINT_COLUMNS)
    _celeba_table(root, "list_landmarks_align_celeba", f"{columns} ", [ALIGNED] * 6)
    _celeba_table(root, "list_landmarks_celeba", columns, [WILD] * 6)
    boxes = [(95, 71, 226, 313)] * 6
    _celeba_table(root, "list_bbox_celeba", "image_id x_1 y_1 width height", boxes)
    signs = [(-1, 1, 1 - 2 * (index % 2)) for index in range(6)]
    _celeba_table(root, "list_attr_celeba", " ".join(CELEBA_ATTRIBUTES) + " ", signs)
    for index, name in enumerate(CELEBA_NAMES):
        tone = (40 * index, 120, 90)
        Image.new("RGB", (178, 218), tone).save(root / "Img/img_align_celeba" / name)
        Image.new("RGB", (409, 687), tone).save(root / "Img/img_celeba" / name)
    return root


def _celeba_table(root: Path, stem: str, head: str, rows: Sequence[Sequence[int]]) -> None:
    lines = [f"{name} " + "".join(f"{value:5d}" for value in row)
             for name, row in zip(CELEBA_NAMES, rows, strict=True)]  # fmt: skip
    (root / "Anno" / f"{stem}.txt").write_text("\n".join([str(len(rows)), head, *lines, ""]))


def voc_2012(folder: Path) -> Path:
    """Write Pascal VOC as VOCtrainval_11-May-2012.tar unpacks."""
    root = folder / "VOCdevkit" / "VOC2012"
    for name in ("Annotations", "ImageSets/Main", "ImageSets/Segmentation", "JPEGImages"):
        (root / name).mkdir(parents=True)
    names = ["2008_000008", "2008_000015", "2008_000019", "2011_003276"]
    lists = {"train": names[:2], "val": names[2:], "trainval": names}
    for split, own in lists.items():
        (root / f"ImageSets/Main/{split}.txt").write_text("\n".join([*own, ""]))
        (root / f"ImageSets/Segmentation/{split}.txt").write_text(f"{own[0]}\n")
        signs = "".join(f"{name} {1 - 2 * (index % 2):2d}\n" for index, name in enumerate(own))
        (root / f"ImageSets/Main/horse_{split}.txt").write_text(signs)
    for index, name in enumerate(names):
        (root / f"Annotations/{name}.xml").write_text(_voc_xml(name, difficult=index == 0))
        Image.new("RGB", (500, 442), (60 * index, 90, 30)).save(root / f"JPEGImages/{name}.jpg")
    return root


def _voc_xml(name: str, *, difficult: bool) -> str:
    """Return a file with a horse and a person, who has a head and an action, as in VOC 2012."""
    return f"""<annotation>
	<folder>VOC2012</folder>
	<filename>{name}.jpg</filename>
	<source><database>The VOC2008 Database</database><annotation>PASCAL VOC2008</annotation>
		<image>flickr</image></source>
	<size><width>500</width><height>442</height><depth>3</depth></size>
	<segmented>0</segmented>
	<object><name>horse</name><pose>Left</pose><truncated>0</truncated><occluded>1</occluded>
		<bndbox><xmin>53</xmin><ymin>87</ymin><xmax>471</xmax><ymax>420</ymax></bndbox>
		<difficult>0</difficult></object>
	<object><name>person</name><actions><jumping>0</jumping><ridinghorse>1</ridinghorse></actions>
		<bndbox><xmax>289</xmax><xmin>158.70000076293945</xmin><ymax>167</ymax><ymin>44</ymin></bndbox>
		<difficult>{int(difficult)}</difficult><pose>Unspecified</pose>
		<part><name>head</name>
			<bndbox><xmin>169</xmin><ymin>46</ymin><xmax>211</xmax><ymax>94</ymax></bndbox></part>
		</object>
</annotation>
"""
