from pathlib import Path

import pytest
from annotations.samples import data_set, image

from kpviewer.annotations.ground_truth import AnnotationGroundTruth, read_ground_truth
from kpviewer.errors import DatasetError


def count(targets):
    return None if targets is None else len(targets)


def test_images_are_found_by_name_whatever_their_place_in_the_folder():
    ground_truth = AnnotationGroundTruth(data_set(image("x/a.jpg", (0,)), image("x/b.jpg", (0, 0))))
    assert count(ground_truth.for_frame(0, "b.jpg")) == 2
    assert ground_truth.for_frame(0, "c.jpg") is None


def test_frames_of_a_video_are_found_by_number():
    frames = [image("clip.mp4", (0,) * n, n, frame_index=5 * n) for n in range(3)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    assert count(ground_truth.for_frame(10, "clip.mp4")) == 2
    assert ground_truth.for_frame(1, "clip.mp4") is None


@pytest.mark.parametrize(("frames", "expected"), [(1, 0), (3, 2), (None, 0)])
def test_an_animation_has_the_ground_truth_of_its_frames_a_single_image_that_of_its_name(
    frames, expected
):
    data = data_set(*(image("a.gif", (0,) * n, n, frame_index=n) for n in range(3)))
    alone = data_set(image("a.gif", (), 7))
    ground_truth = AnnotationGroundTruth(data if frames == 3 else alone)
    ground_truth.set_source_files([Path("x/a.gif")], frames)
    assert count(ground_truth.for_frame(2, str(Path("x/a.gif")))) == expected


def test_ids_that_count_from_zero_stand_for_frame_numbers():
    frames = [image(f"{n}.jpg", (0,) * n, n) for n in range(3)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    assert count(ground_truth.for_frame(2, "clip.mp4")) == 2


def test_other_ids_are_no_frame_numbers():
    ground_truth = AnnotationGroundTruth(data_set(image("a.jpg", (0,), 1), image("b.jpg", (0,), 2)))
    assert ground_truth.for_frame(1, "clip.mp4") is None


def test_unannotated_image_has_no_ground_truth_though_its_number_is_known():
    ground_truth = AnnotationGroundTruth(data_set(image("a.jpg", (0,), 0, frame_index=0)))
    assert ground_truth.for_frame(0, "other.jpg") is None


def test_files_of_one_name_are_distinguished_by_folder():
    ground_truth = AnnotationGroundTruth(data_set(image("x/a.jpg"), image("y/a.jpg", (0, 0))))
    assert ground_truth.for_frame(0, "a.jpg") is None
    ground_truth.set_source_files([Path("/elsewhere/y/a.jpg")])
    assert count(ground_truth.for_frame(0, "/elsewhere/y/a.jpg")) == 2
    assert ground_truth.notes == ()


def test_a_duplicate_frame_is_reported_and_the_first_entry_counts():
    frames = [image("clip.mp4", (0,) * n, frame_index=1) for n in (1, 2)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    ground_truth.set_source_files([Path("clip.mp4")], 5)
    assert count(ground_truth.for_frame(1, "clip.mp4")) == 1
    assert ground_truth.notes[0].startswith("1 of 2 entries left out")


def test_similar_names_are_matched_and_reported():
    ground_truth = AnnotationGroundTruth(data_set(image("my%20cat.jpg"), image("B.JPG")))
    ground_truth.set_source_files([Path("set/my cat.jpg"), Path("set/b.jpg")])
    assert count(ground_truth.for_frame(0, "set/my cat.jpg")) == 1
    assert count(ground_truth.for_frame(1, "set/b.jpg")) == 1
    assert ground_truth.notes == (
        "names differ a little and were fitted: 'my%20cat.jpg' is 'my cat.jpg' and 1 more",
    )


def test_ground_truth_that_fits_no_image_is_reported_with_a_name_of_each():
    ground_truth = AnnotationGroundTruth(data_set(image("left.jpg")))
    ground_truth.set_source_files([Path("a.jpg"), Path("b.jpg")])
    assert ground_truth.for_frame(0, "a.jpg") is None
    assert ground_truth.notes[0].startswith("ground truth fits 0 of 2 images")
    assert "'left.jpg'" in ground_truth.notes[0]


def test_labels_of_images_in_another_folder_are_noted(tmp_path):
    for folder in "pq":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.jpg").write_text(folder)
    (tmp_path / "r").symlink_to(tmp_path / "p")
    ground_truth = AnnotationGroundTruth(data_set(image(tmp_path / "p/1.jpg", (0,))))
    for folder, noted in (("p", 0), ("q", 1), ("r", 0), ("gone", 0)):
        ground_truth.set_source_files([tmp_path / folder / "1.jpg"])
        assert count(ground_truth.for_frame(0, str(tmp_path / folder / "1.jpg"))) == 1
        notes = [f"of the same names in {tmp_path / folder}" in n for n in ground_truth.notes]
        assert notes == [True] * noted


def test_images_without_ground_truth_are_counted():
    ground_truth = AnnotationGroundTruth(data_set(image("a.jpg")))
    ground_truth.set_source_files([Path(f"{name}.jpg") for name in "abc"])
    assert ground_truth.notes == ("ground truth fits 1 of 3 images: none for b.jpg and 1 more",)
    ground_truth.set_source_files([Path("a.jpg")])  # another source is another fit
    assert ground_truth.notes == ()


def test_images_of_another_size_are_counted():
    ground_truth = AnnotationGroundTruth(data_set(image("a.jpg"), image("b.jpg"), image("c.jpg")))
    for name in "abc":
        ground_truth.for_frame(0, f"{name}.jpg", (10, 10) if name == "b" else (20, 10))
    (note,) = ground_truth.notes
    assert "a.jpg: annotated as 10x10, but is 20x10 and 1 more" in note


def test_frames_of_another_size_are_counted():
    frames = [image("clip.mp4", (0,), frame_index=n) for n in range(3)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    for number in range(3):
        assert count(ground_truth.for_frame(number, "clip.mp4", (20, 20))) == 1
    (note,) = ground_truth.notes
    assert "clip.mp4: annotated as 10x10, but is 20x20 and 2 more" in note


def test_an_image_with_a_box_outside_has_no_ground_truth_and_is_reported():
    ground_truth = AnnotationGroundTruth(data_set(image("a.jpg", (0,) * 9), image("b.jpg")))
    for _ in range(2):  # the ninth box begins at 8, 8
        assert ground_truth.for_frame(0, "a.jpg", (10, 8)) is None
        assert count(ground_truth.for_frame(1, "b.jpg", (10, 8))) == 1
    assert any("a.jpg, object 9" in note for note in ground_truth.notes)


def test_ids_that_count_from_one_fit_no_frame_and_are_reported():
    ground_truth = AnnotationGroundTruth(data_set(image("x.jpg", (0,), 1), image("y.jpg", (0,), 2)))
    ground_truth.set_source_files([Path("clip.mp4")], 2)
    assert "fits no frame of clip.mp4" in ground_truth.notes[0]


def test_numbers_in_names_stand_for_frames_where_they_count_from_zero():
    frames = [image(f"frame_{n:06}.PNG", (0,) * n, n + 1) for n in range(3)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    ground_truth.set_source_files([Path("clip.mp4")], 3)
    assert [count(ground_truth.for_frame(n, "clip.mp4")) for n in range(4)] == [0, 1, 2, None]
    assert ground_truth.notes == ()


@pytest.mark.parametrize("name", ["frame_{:06}.jpg", "clip_mp4-{:04}_jpg.rf.0a1b2c.jpg"])
def test_names_of_every_tenth_frame_count_before_ids_from_zero(name):
    frames = [image(name.format(10 * n), (0,) * n, n) for n in range(3)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    assert [count(ground_truth.for_frame(n, "clip.mp4")) for n in (0, 10, 20, 1)] == [0, 1, 2, None]


def test_names_from_one_are_the_frames_of_ids_from_zero():
    frames = [image(f"frame_{n + 1}.jpg", (0,) * n, n) for n in range(3)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    assert [count(ground_truth.for_frame(n, "clip.mp4")) for n in range(3)] == [0, 1, 2]


def test_images_of_another_video_are_not_frames_of_this_one():
    names = [f"{video}_{n:04}.jpg" for n in range(2) for video in ("a", "ab")]
    frames = [image(name, (0,) * n, n) for n, name in enumerate(names)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    ground_truth.set_source_files([Path("a.mp4")], 2)
    assert [count(ground_truth.for_frame(n, "a.mp4")) for n in range(2)] == [0, 2]
    assert ground_truth.notes == ()


def test_entries_of_another_video_file_are_not_of_this_one():
    frames = [image("a.mp4", (0,) * n, frame_index=n) for n in range(2)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    ground_truth.set_source_files([Path("b.mp4")], 2)
    assert ground_truth.for_frame(1, "b.mp4") is None
    (note,) = ground_truth.notes
    assert note.startswith("ground truth fits no frame of b.mp4: its entries are of a.mp4.")
    ground_truth.set_source_files([Path("x/A.mov")], 2)
    assert count(ground_truth.for_frame(1, "x/A.mov")) == 1 and ground_truth.notes == ()


@pytest.mark.parametrize("entry", ["cam_2.mp4", "cam_2_0001.jpg"])
def test_a_video_whose_name_begins_alike_is_another_one(entry):
    own = image("cam.mp4" if entry.endswith("mp4") else "cam_0001.jpg", (0,), 8, frame_index=1)
    data = data_set(image(entry, (0, 0), 9, frame_index=1), own)
    ground_truth = AnnotationGroundTruth(data)
    for video, objects in (("cam.mp4", 1), ("cam_2.mp4", 2)):
        ground_truth.set_source_files([Path(video)], 9)
        assert count(ground_truth.for_frame(1, video)) == objects and ground_truth.notes == ()


def test_a_number_may_be_part_of_the_name_of_a_video():
    entries = [image(f"clip{n}", (0,) * n, n, frame_index=0) for n in (2, 3)]
    ground_truth = AnnotationGroundTruth(data_set(*entries))
    ground_truth.set_source_files([Path("clip3.mp4")], 9)
    assert count(ground_truth.for_frame(0, "clip3.mp4")) == 3 and ground_truth.notes == ()


def test_images_of_another_name_are_taken_for_frames_with_a_note():
    frames = [image(f"a_{n:04}.jpg", (0,) * n, n) for n in range(2)]
    ground_truth = AnnotationGroundTruth(data_set(*frames, image("c.mp4", frame_index=0)))
    ground_truth.set_source_files([Path("b.mp4")], 2)
    assert [count(ground_truth.for_frame(n, "b.mp4")) for n in range(2)] == [0, 1]
    (note,) = ground_truth.notes
    assert (
        note
        == "entries are taken for frames of b.mp4, which they don't name: a_0000.jpg and 1 more"
    )


def test_a_video_shorter_than_its_ground_truth_is_reported():
    frames = [image("clip.mp4", (0,), frame_index=n) for n in range(4)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    ground_truth.set_source_files([Path("clip.mp4")], 3)
    assert ground_truth.notes == ("1 of 4 entries left out: clip.mp4 has only 3 frames (frame 3)",)


@pytest.mark.parametrize("name", ["{:04}.jpg", "clip_{:04}.png"])
def test_names_of_all_frames_may_count_from_one(name):
    entries = [image(name.format(n), (0,) * n, n) for n in (1, 2, 3)]  # as ffmpeg names them
    ground_truth = AnnotationGroundTruth(data_set(*entries))
    ground_truth.set_source_files([Path("clip.mp4")], 3)
    assert [count(ground_truth.for_frame(n, "clip.mp4")) for n in range(4)] == [1, 2, 3, None]
    ground_truth.set_source_files([Path("clip.mp4")], 4)
    assert "fits no frame" in ground_truth.notes[0]


@pytest.mark.parametrize(
    ("numbers", "frames", "first"), [((1, 2, 4), 4, 0), ((1, 2, 4), 5, 1), ((1, 2, 4), None, 1)]
)
def test_frames_count_from_one_if_the_last_is_their_number(numbers, frames, first):
    entries = [image("clip.mp4", (0,) * n, frame_index=n) for n in numbers]
    ground_truth = AnnotationGroundTruth(data_set(*entries))
    ground_truth.set_source_files([Path("clip.mp4")], frames)
    found = [count(ground_truth.for_frame(n + first, "clip.mp4")) for n in range(4)]
    assert found == [1, 2, None, 4]
    assert ["count from 1" in note for note in ground_truth.notes] == [True] * (first == 0)


def test_frames_of_the_matching_video_in_a_set_of_several_are_used():
    frames = [image(f"{name}.mp4", (0,) * n, frame_index=0) for n, name in enumerate("ab", 1)]
    ground_truth = AnnotationGroundTruth(data_set(*frames))
    ground_truth.set_source_files([Path("b.mp4")], 9)
    assert count(ground_truth.for_frame(0, "b.mp4")) == 2


@pytest.mark.parametrize(
    ("class_names", "ids"), [(("dog", "cat"), [1, 0]), ((), [0, 1]), (("dog",), [0])]
)
def test_ground_truth_has_the_class_ids_of_the_model_where_they_are_known(
    tmp_path, class_names, ids
):
    table = "file,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4\na.jpg,dog,5,6,7,8\n"
    (tmp_path / "ground_truth.csv").write_text(table)
    targets = read_ground_truth(f"csv:{tmp_path / 'ground_truth.csv'}", class_names).for_frame(
        0, "a.jpg"
    )
    assert targets is not None
    assert targets.class_ids.tolist() == ids


def test_ground_truth_takes_the_class_ids_of_the_current_model():
    ground_truth = AnnotationGroundTruth(
        data_set(image("a.jpg", (0, 1)), class_names=("cat", "dog"))
    )
    ground_truth.use_names(("dog", "bird", "Cat"), ())
    assert ground_truth.for_frame(0, "a.jpg").class_ids.tolist() == [2, 0]
    ground_truth.use_names(("dog",), ())  # from what was read, not from what is left
    ground_truth.use_names(("cat", "dog"), ())
    assert ground_truth.for_frame(0, "a.jpg").class_ids.tolist() == [0, 1]


def test_there_is_no_ground_truth_for_a_model_of_other_classes():
    ground_truth = AnnotationGroundTruth(
        data_set(image("a.jpg", (0, 1)), class_names=("cat", "dog"))
    )
    with pytest.raises(DatasetError, match="share a class"):
        ground_truth.use_names(("car", "tram"), ())
    assert ground_truth.for_frame(0, "a.jpg") is None
    ground_truth.use_names(("cat", "dog"), ())
    assert count(ground_truth.for_frame(0, "a.jpg")) == 2
