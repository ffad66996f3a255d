"""Files of 300-W; the numbers are by hand."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpviewer.annotations.formats.pts import read_pts
from kpviewer.annotations.problems import Problems
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError

TEXT = "version: 1\nn_points:  3\n{\n10.5 20\n30 1.0\n11 41\n}\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.pts").write_text(TEXT)
    (tmp_path / "a.png").touch()
    (tmp_path / "indoor").mkdir()
    (tmp_path / "indoor" / "b.pts").write_text(TEXT)
    return tmp_path


def test_points_count_from_zero_and_their_box_is_around_them(folder):
    read = read_annotations(f"pts:{folder}")
    first = read.images[0]
    assert [image.path for image in read.images] == [
        folder / "a.png",
        folder / "indoor" / "b.jpg",
    ]
    assert first.targets.keypoints_xy.tolist() == [[[9.5, 19], [29, 0], [10, 40]]]
    assert first.targets.xyxy.tolist() == [[9.5, 0, 29, 40]]
    assert first.targets.keypoints_visible.all() and first.keypoints_labelled.all()
    assert not first.targets.difficult.any()
    assert (read.class_names, read.keypoint_names) == (("face",), ("1", "2", "3"))


def test_the_ending_may_be_in_capitals(folder):
    (folder / "a.pts").rename(folder / "a.PTS")
    assert [each.path.name for each in read_pts(folder).images] == ["a.png", "b.jpg"]


def test_a_folder_inside_can_be_read_alone(folder):
    assert [each.path.stem for each in read_pts(folder, "indoor").images] == ["b"]
    with pytest.raises(DatasetError, match=r"'outdoor'.*indoor"):
        read_pts(folder, "outdoor")


PAIRS_OF_300W = (
    [1, 17], [2, 16], [3, 15], [4, 14], [5, 13], [6, 12], [7, 11], [8, 10], [18, 27], [19, 26],
    [20, 25], [21, 24], [22, 23], [32, 36], [33, 35], [37, 46], [38, 45], [39, 44], [40, 43],
    [41, 48], [42, 47], [49, 55], [50, 54], [51, 53], [62, 64], [61, 65], [68, 66], [59, 57],
    [60, 56],
)  # fmt: skip
"""Points that swap in a mirrored image, from 1, as published trainings on 300-W list them."""


def test_the_mirror_of_sixty_eight_points_is_known(tmp_path):
    rows = "\n".join(f"{x} {x * x % 97}" for x in range(1, 69))
    (tmp_path / "a.pts").write_text(f"n_points: 68\n{{\n{rows}\n}}")
    expected = list(range(68))
    for one, other in PAIRS_OF_300W:
        expected[one - 1], expected[other - 1] = other - 1, one - 1
    assert read_annotations(str(tmp_path)).mirrored_keypoints == tuple(expected)


def test_sixty_eight_points_are_joined_as_a_face(tmp_path):
    rows = "\n".join(f"{x} {x * x % 97}" for x in range(1, 69))
    (tmp_path / "a.pts").write_text(f"n_points: 68\n{{\n{rows}\n}}")
    skeleton = read_annotations(str(tmp_path)).skeleton
    # Lines of 17 + 5 + 5 + 4 + 5 open and 6 + 6 + 12 + 8 closed points.
    assert len(skeleton) == 16 + 4 + 4 + 3 + 4 + 6 + 6 + 12 + 8
    assert {index for pair in skeleton for index in pair} == set(range(68))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "between"),
        (TEXT.replace("}", ""), "between"),
        (TEXT.replace("30 1.0", "30"), "x y"),
        (TEXT.replace("30 1.0", "30 one"), "number"),
        (TEXT.replace("3\n", "68\n", 1), "68"),
        ("{\n}", "x y"),
        ("{\n1 1\n1 5\n}", "line"),
    ],
)
def test_malformed_file_is_reported_by_its_name(tmp_path, text, message):
    (tmp_path / "a.pts").write_text(text)
    with pytest.raises(DatasetError, match=rf"a\.pts.*{message}"):
        read_pts(tmp_path)


def test_files_of_another_number_of_points_are_reported(folder):
    (folder / "c.pts").write_text("{\n1 1\n5 5\n}")
    problems = Problems()
    assert len(read_pts(folder, problems=problems)) == 2
    assert "as many points" in problems[0].where
    with pytest.raises(DatasetError, match="got 2 after 3"):
        read_pts(folder)


def test_folder_without_files_is_reported(tmp_path):
    with pytest.raises(DatasetError, match="got none"):
        read_pts(tmp_path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(TEXT)), st.integers(0, 9), st.binary(max_size=8))
def test_any_damage_gives_a_set_or_a_dataset_error(tmp_path, start, length, junk):
    data = TEXT.encode()
    (tmp_path / "a.pts").write_bytes(data[:start] + junk + data[start + length :])
    with contextlib.suppress(DatasetError):
        assert len(read_pts(tmp_path)) == 1
