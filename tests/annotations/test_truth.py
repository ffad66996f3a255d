import pytest
from annotations.samples import data_set, picture

from kpviewer.annotations.truth import AnnotationTruth, read_truth
from kpviewer.errors import DatasetError


def count(targets):
    return None if targets is None else len(targets)


def test_pictures_are_found_by_name_whatever_their_place_in_the_folder():
    truth = AnnotationTruth(data_set(picture("x/a.jpg", (0,)), picture("x/b.jpg", (0, 0))))
    assert count(truth.for_frame(0, "b.jpg")) == 2
    assert truth.for_frame(0, "c.jpg") is None


def test_frames_of_a_video_are_found_by_number():
    frames = [picture("clip.mp4", (0,) * n, n, frame_index=5 * n) for n in range(3)]
    truth = AnnotationTruth(data_set(*frames))
    assert count(truth.for_frame(10, "clip.mp4")) == 2
    assert truth.for_frame(1, "clip.mp4") is None


def test_ids_that_count_from_zero_stand_for_frame_numbers():
    frames = [picture(f"{n}.jpg", (0,) * n, n) for n in range(3)]
    truth = AnnotationTruth(data_set(*frames))
    assert count(truth.for_frame(2, "clip.mp4")) == 2


def test_other_ids_are_no_frame_numbers():
    truth = AnnotationTruth(data_set(picture("a.jpg", (0,), 1), picture("b.jpg", (0,), 2)))
    assert truth.for_frame(1, "clip.mp4") is None


def test_unannotated_picture_has_no_truth_though_its_number_is_known():
    truth = AnnotationTruth(data_set(picture("a.jpg", (0,), 0, frame_index=0)))
    assert truth.for_frame(0, "other.jpg") is None


def test_one_name_in_two_folders_is_refused():
    with pytest.raises(DatasetError, match="two folders"):
        AnnotationTruth(data_set(picture("x/a.jpg"), picture("y/a.jpg")))


def test_one_frame_twice_is_refused():
    frames = [picture("clip.mp4", frame_index=1), picture("clip.mp4", frame_index=1)]
    with pytest.raises(DatasetError, match="each frame once"):
        AnnotationTruth(data_set(*frames))


@pytest.mark.parametrize(
    ("class_names", "ids"), [(("dog", "cat"), [1, 0]), ((), [0, 1]), (("dog",), [0])]
)
def test_truth_has_the_class_ids_of_the_model_where_they_are_known(tmp_path, class_names, ids):
    table = "file,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4\na.jpg,dog,5,6,7,8\n"
    (tmp_path / "truth.csv").write_text(table)
    targets = read_truth(f"csv:{tmp_path / 'truth.csv'}", class_names).for_frame(0, "a.jpg")
    assert targets is not None
    assert targets.class_ids.tolist() == ids


def test_truth_follows_the_model_that_watches():
    truth = AnnotationTruth(data_set(picture("a.jpg", (0, 1)), class_names=("cat", "dog")))
    truth.use_classes(("dog", "bird", "Cat"))
    assert truth.for_frame(0, "a.jpg").class_ids.tolist() == [2, 0]
    truth.use_classes(("dog",))  # from what was read, not from what is left
    truth.use_classes(("cat", "dog"))
    assert truth.for_frame(0, "a.jpg").class_ids.tolist() == [0, 1]


def test_truth_knows_nothing_for_a_model_of_other_things():
    truth = AnnotationTruth(data_set(picture("a.jpg", (0, 1)), class_names=("cat", "dog")))
    with pytest.raises(DatasetError, match="share a class"):
        truth.use_classes(("car", "tram"))
    assert truth.for_frame(0, "a.jpg") is None
    truth.use_classes(("cat", "dog"))
    assert count(truth.for_frame(0, "a.jpg")) == 2
