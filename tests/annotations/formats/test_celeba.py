import numpy as np
import pytest

from kpviewer.annotations.formats.celeba.aligned import read_celeba
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError

POINTS = {
    "000001.jpg": (69, 109, 106, 113, 77, 142, 73, 152, 108, 154),
    "000002.jpg": (69, 110, 107, 112, 81, 135, 70, 151, 108, 153),
    "000003.jpg": (76, 112, 104, 106, 108, 128, 74, 156, 98, 158),
}
COLUMNS = [
    f"{name}_{axis}"
    for name in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
    for axis in "xy"
]


@pytest.fixture(params=["txt", "csv"])
def celeba(request, tmp_path):
    """A folder in the layout of the authors, and one in that of Kaggle."""
    codes = dict(zip(POINTS, (0, 1, 0), strict=True))
    if request.param == "txt":
        head = f"{len(POINTS)}\n{' '.join(COLUMNS)} \n"
        rows = [f"{name} " + "".join(f"{value:4d} " for value in POINTS[name]) for name in POINTS]
        parts = [f"{name} {code}" for name, code in codes.items()]
        part_head = ""
    else:
        head = f"image_id,{','.join(COLUMNS)}\n"
        rows = [f"{name},{','.join(map(str, POINTS[name]))}" for name in POINTS]
        parts = [f"{name},{code}" for name, code in codes.items()]
        part_head = "image_id,partition\n"
    (tmp_path / f"list_landmarks_align_celeba.{request.param}").write_text(head + "\n".join(rows))
    (tmp_path / f"list_eval_partition.{request.param}").write_text(part_head + "\n".join(parts))
    return tmp_path


def test_the_partition_chooses_the_images(celeba):
    for split, names in (("train", {"000001.jpg", "000003.jpg"}), ("val", {"000002.jpg"})):
        read = read_annotations(f"celeba:{celeba}:{split}")
        assert {image.path.name for image in read.images} == names
    assert len(read_annotations(f"celeba:{celeba}")) == 3


def test_points_are_at_the_centres_of_their_pixels(celeba):
    face = read_celeba(celeba, "val").images[0]
    wanted = np.array(POINTS["000002.jpg"], np.float32).reshape(1, 5, 2) + 0.5
    assert np.array_equal(face.targets.keypoints_xy, wanted)
    assert face.keypoints_labelled.all()
    assert face.path == celeba / "img_align_celeba" / "000002.jpg"


def test_the_box_holds_the_points_and_lies_in_the_image(celeba):
    for face in read_celeba(celeba).images:
        left, top, right, bottom = face.targets.xyxy[0]
        points = face.targets.keypoints_xy[0]
        assert 0 <= left < points[:, 0].min() and points[:, 0].max() < right <= 178
        assert 0 <= top < points[:, 1].min() and points[:, 1].max() < bottom <= 218


def test_the_folder_of_kaggles_archive_is_found(celeba):
    inner = celeba / "img_align_celeba" / "img_align_celeba"
    inner.mkdir(parents=True)
    assert read_celeba(celeba).images[0].path.parent == inner


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("list_landmarks_align_celeba.txt", "1\nx\n000001.jpg 1 2 3", "10 values"),
        ("list_landmarks_align_celeba.txt", "1\nx\n000001.jpg" + " nan" * 10, "a landmark"),
        ("list_landmarks_align_celeba.txt", "1\nx\n../a.jpg" + " 1" * 10, "stay in"),
        ("list_landmarks_align_celeba.txt", "", "no face"),
        ("other.txt", "", "has neither"),
    ],
)
def test_malformed_files_are_reported(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    with pytest.raises(DatasetError, match=expected):
        read_celeba(tmp_path)


def test_an_unknown_split_is_reported(celeba):
    with pytest.raises(DatasetError, match="train, val, test"):
        read_celeba(celeba, "validation")
