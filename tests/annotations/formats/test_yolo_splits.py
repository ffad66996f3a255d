"""The entries of a YOLO description decide which images a split has, not folders of its name."""

from pathlib import Path

import pytest
from PIL import Image

from kpviewer.annotations.formats.yolo.reader import read_yolo
from kpviewer.annotations.problems import NO_LABELS
from kpviewer.annotations.spec import read_usable
from kpviewer.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place in ("train/a", "val/b", "checked/c"):
        for kind in ("images", "labels"):
            (tmp_path / kind / place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10)).save(tmp_path / "images" / f"{place}.png")
        (tmp_path / "labels" / f"{place}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    return tmp_path


def described(folder: Path, entry: str, name: str = "set.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"names: [cat]\ntrain: images/train\nval: {entry}\n")
    return path


@pytest.mark.parametrize(
    ("entry", "images"),
    [
        ("images/checked", "c"),
        ("[images/val, images/checked]", "bc"),
        ("images/checked/c.png", "c"),
        ("images/*/*.png", "abc"),
        ("images/**/*.png", "abc"),
        ("images/[cv]*", "bc"),
    ],
)
def test_an_entry_counts_before_a_folder(folder, entry, images):
    read = read_yolo(described(folder, entry), "val")
    assert sorted(each.path.stem for each in read.images) == list(images)
    assert all(len(each.targets) == 1 for each in read.images)
    assert not read.notes


def test_a_description_in_a_folder_of_its_own_is_found(folder):
    (image,) = read_yolo(described(folder, "images/checked", "configs/set.yaml"), "val").images
    assert image.path.stem == "c"


def test_entries_without_images_are_told(folder):
    read = read_yolo(described(folder, "[images/checked, images/gone]"), "val")
    assert [each.path.stem for each in read.images] == ["c"]
    assert read.notes == ("val: 'images/gone' leads to no images",)
    with pytest.raises(DatasetError, match="test: 'images/gone' leads to no images"):
        described(folder, "images/val\ntest: images/gone")
        read_yolo(folder / "set.yaml", "test")


def test_images_of_a_list_that_are_gone_are_told(folder):
    (folder / "some.txt").write_text("# names\nimages/val/b.png\nimages/val/gone.png\n")
    gone = "some.txt: 1 of 2 images aren't found, the first is 'images/val/gone.png'"
    for read in (read_yolo(described(folder, "some.txt"), "val"), read_yolo(folder / "some.txt")):
        assert [each.path.stem for each in read.images] == ["b"]
        assert read.notes == (gone,)
    (folder / "some.txt").write_text("images/val/gone.png\n")
    with pytest.raises(DatasetError, match=r"some\.txt: 1 of 1 images aren't found"):
        read_yolo(folder / "some.txt")


@pytest.mark.parametrize("line", ["images/val/a.png", "/old/images/val/a.png", "./val/A.PNG"])
def test_an_image_that_is_gone_is_not_that_of_another_split(folder, line):
    (folder / "some.txt").write_text(f"{line}\nimages/val/b.png\n")
    read = read_yolo(folder / "some.txt")
    assert [each.path.stem for each in read.images] == ["b"]  # there is a train/a.png
    assert "1 of 2 images aren't found" in read.notes[0]


def test_a_listed_image_without_labels_shows_nothing(folder):
    inside = folder / "obj_train_data"  # Darknet's: labels beside images
    inside.mkdir()
    for name in ("d", "e", "unlisted"):
        Image.new("RGB", (20, 10)).save(inside / f"{name}.png")
    (inside / "d.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "train.txt").write_text("data/obj_train_data/d.png\ndata/obj_train_data/e.png\n")
    (folder / "obj.names").write_text("cat\n")
    (folder / "obj.data").write_text("train = data/train.txt\nnames = data/obj.names\n")
    for name in ("train.txt", "obj.data"):
        read = read_usable(f"yolo:{folder / name}")
        counts = [(each.path.stem, len(each.targets)) for each in read.images]
        assert counts == [("d", 1), ("e", 0)]
        assert [NO_LABELS in note and "e.png" in note for note in read.notes] == [True]


def test_a_whole_path_counts_before_a_file_of_its_name(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "far/away"
    other.mkdir(parents=True)
    for kind, suffix in (("images", ".png"), ("labels", ".txt")):
        (folder / kind / "val").rename(other / kind)
        (folder / kind / "checked" / f"c{suffix}").rename(folder / kind / f"b{suffix}")
    (folder / "some.txt").write_text(f"{other}/images/b.png\n")
    (image,) = read_yolo(folder / "some.txt").images
    assert image.path == other / "images/b.png" and len(image.targets) == 1


def test_images_of_a_list_are_found_in_other_spellings(folder):
    for kind, suffix in (("images", ".png"), ("labels", ".txt")):
        (folder / kind / "val" / f"b{suffix}").rename(folder / kind / "val" / f"Be\u0301{suffix}")
    (folder / "some.txt").write_text("images/val/B\u00e9.PNG\nimages\\checked\\C.png\n", "utf-8")
    read = read_yolo(folder / "some.txt")
    assert [each.path.stem for each in read.images] == ["Be\u0301", "c"]
    assert all(len(each.targets) == 1 for each in read.images) and not read.notes


def test_a_named_description_without_a_split_is_all_of_its_entries(folder):
    project = folder / "project"
    (project / "images").mkdir(parents=True)
    Image.new("RGB", (20, 10)).save(project / "images/logo.png")  # of no set
    text = f"path: {folder}\ntrain: images/train\nval: [images/val, images/train]\n"
    (project / "set.yaml").write_text(text + "names: [cat]\n")
    assert [each.path.stem for each in read_yolo(project / "set.yaml").images] == ["a", "b"]

    described(folder, "images/gone")
    read = read_yolo(folder / "set.yaml")  # val is the folder of that name
    assert [each.path.stem for each in read.images] == ["a", "b"]
    assert read.notes == ("val: 'images/gone' leads to no images",)


def test_a_folder_has_the_splits_of_its_data_file(folder):
    (folder / "some.txt").write_text("data/images/checked/c.png\n")
    (folder / "obj.names").write_text("cat\n")
    (folder / "obj.data").write_text("valid = data/some.txt\nnames = data/obj.names\n")
    for split in ("valid", "val"):
        assert [each.path.stem for each in read_yolo(folder, split).images] == ["c"]


def test_a_source_may_show_images_that_a_description_leaves_out(folder):
    path = described(folder, "images/val")  # checked/c is in neither of its entries
    assert [each.path.stem for each in read_usable(f"yolo:{path}").images] == ["a", "b"]
    read = read_usable(f"yolo:{path}", of_source=True)
    assert [each.path.stem for each in read.images] == ["a", "b", "c"]


@pytest.mark.parametrize("key", ["valid", "val"])
def test_darknet_data_without_a_split_are_all_of_its_lists(folder, key):
    for split, image in (("train", "train/a"), ("val", "checked/c"), ("test", "val/b")):
        (folder / f"{split}.txt").write_text(f"data/images/{image}.png\n")
    (folder / "obj.names").write_text("cat\n")
    lines = f"train = data/train.txt\n{key} = data/val.txt\ntest = data/test.txt\n"
    (folder / "obj.data").write_text(lines + "names = data/obj.names\n")
    read = read_yolo(folder / "obj.data")
    assert [each.path.stem for each in read.images] == ["a", "c", "b"]
    assert [each.path.stem for each in read_yolo(folder / "obj.data", "val").images] == ["c"]


def test_labelled_images_that_a_list_leaves_out_are_not_called_unlabelled(folder):
    (folder / "labels/train/a.txt").rename(folder / "images/train/a.txt")
    Image.new("RGB", (20, 10)).save(folder / "images/train/d.png")
    (folder / "images/train/d.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "some.txt").write_text("images/train/a.png\n")
    (folder / "set.yaml").write_text("names: [cat]\ntrain: some.txt\n")
    for name in ("some.txt", "set.yaml"):
        read = read_usable(f"yolo:{folder / name}")
        assert [each.path.stem for each in read.images] == ["a"] and not read.notes


def test_a_set_has_its_labels_for_images_elsewhere_too(folder, tmp_path_factory):
    images = tmp_path_factory.mktemp("full")
    Image.new("RGB", (40, 20)).save(images / "a.png")
    (folder / "labels/train/a.txt").rename(folder / "labels/a.txt")
    (folder / "images/train/a.png").rename(folder / "images/a.png")  # a copy of the same name
    (image,) = read_yolo(folder, str(images)).images
    assert image.path == images / "a.png"
    assert image.targets.xyxy.tolist() == [[10, 5, 30, 15]]


def test_an_image_without_labels_has_none_of_another_split(folder):
    Image.new("RGB", (20, 10)).save(folder / "images/val/a.png")  # another one than train/a
    (folder / "images/train/a.png").unlink()
    Image.new("RGB", (20, 10)).save(folder / "images/train/d.png")
    (folder / "labels/train/d.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    read = read_usable(f"yolo:{folder}")
    counts = {each.path.relative_to(folder).as_posix(): len(each.targets) for each in read.images}
    assert counts["images/val/a.png"] == 0 and counts["images/train/d.png"] == 1
    assert "labels have no image" in read.notes[0] and "train/a.txt" in read.notes[0]
    assert NO_LABELS in read.notes[1] and "val/a.png" in read.notes[1]
