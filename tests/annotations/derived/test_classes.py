from dataclasses import replace

import pytest
from annotations.samples import data_set, image

from kpviewer.annotations.derived.classes import align_classes, matched_classes, shared_classes
from kpviewer.errors import DatasetError


def test_classes_take_the_ids_of_the_model():
    annotations = data_set(image("a.jpg", (0, 1)), class_names=("cat", "dog"))
    aligned = align_classes(annotations, ("Dog", "bird", "cat"))
    assert aligned.class_names == ("Dog", "bird", "cat")
    assert aligned.images[0].targets.class_ids.tolist() == [2, 0]
    assert shared_classes(annotations, ("Dog", "bird", "cat")) == {0, 2}


def test_objects_of_other_classes_are_left_out_and_told():
    annotations = data_set(image("a.jpg", (0, 1, 0)), class_names=("cat", "dog"))
    aligned = align_classes(annotations, ("dog",))
    assert aligned.images[0].targets.xyxy[:, 0].tolist() == [1]
    assert aligned.images[0].pseudo.shape == (1,)
    assert aligned.notes == ("1 of 2 classes of the data left out: the model doesn't know cat",)


def test_classes_that_the_data_do_not_label_are_noted_and_kept_with_the_targets():
    annotations = data_set(image("a.jpg"), image("b.jpg", ()), class_names=("cat",))
    aligned = align_classes(annotations, ("dog", "cat", "bird"))
    assert [pixels.targets.labelled_ids for pixels in aligned.images] == [{1}, {1}]
    assert aligned.notes == (
        "2 of 3 classes of the model left out: the data don't label them (dog and 1 more)",
    )
    assert aligned.images[0].targets.take([0]).labelled_ids == {1}
    assert align_classes(annotations, ("cat",)).notes == ()


def test_one_class_fits_one_class_of_another_name():
    aligned = align_classes(data_set(image("a.jpg"), class_names=("Gesicht",)), ("face",))
    assert aligned.class_names == ("face",)
    assert len(aligned.images[0].targets) == 1
    (note,) = aligned.notes
    assert note == "'face' of the model counts as 'Gesicht' of the data, as each has one class"


@pytest.mark.parametrize(("data", "model"), [("Face", "face"), ("object", "face"), ("cat", "0")])
def test_one_class_without_a_name_of_its_own_needs_no_note(data, model):
    assert align_classes(data_set(image("a.jpg"), class_names=(data,)), (model,)).notes == ()


@pytest.mark.parametrize(
    ("data", "model"),
    [("K\u00e4tzchen", "Ka\u0308tzchen"), ("traffic_light", "Traffic light"), ("\uff43at", "cat")],
)
def test_spellings_and_unicode_forms_of_a_name_are_one_class(data, model):
    assert matched_classes(("bird", data), (model, "dog")) == {1: 0}


@pytest.mark.parametrize("name", ["cat", "Cat"])
def test_the_first_of_equal_names_counts_and_is_noted(name):
    assert matched_classes((name, "bird"), ("cat", "dog", "cat")) == {0: 0}
    assert matched_classes(("cat", "cat"), ("cat", "cat")) == {0: 0, 1: 1}  # a model with itself
    aligned = align_classes(data_set(image("a.jpg"), class_names=(name,)), ("cat", "dog", "cat"))
    assert aligned.notes[0] == (
        "'cat' is the name of the classes 0 and 2 of the model; the first one counts"
    )


def test_a_model_of_any_item_finds_objects_of_all_classes():
    annotations = data_set(image("a.jpg", (1, 0)), class_names=("cat", "dog"))
    annotations = replace(annotations, category_ids={0: 7, 1: 9})
    aligned = align_classes(annotations, ("item",))  # as of Ultralytics' single_cls
    assert aligned.images[0].targets.class_ids.tolist() == [0, 0]
    assert aligned.notes == ("2 classes of the data count as 'item' of the model",)
    assert not aligned.category_ids  # it is neither of both
    named = align_classes(
        data_set(image("a.jpg", (0, 1)), class_names=("object", "dog")), ("object",)
    )
    assert len(named.images[0].targets) == 1


def test_numbers_fit_classes_that_are_named_by_them():
    assert matched_classes(("0", "2"), ("class 0", "class 1", "class 2")) == {0: 0, 1: 2}


def test_classes_without_overlap_are_an_error():
    annotations = data_set(image("a.jpg", (0, 1)), class_names=("cat", "dog"))
    with pytest.raises(DatasetError, match=r"bird.*cat, dog"):
        align_classes(annotations, ("bird",))
    with pytest.raises(DatasetError, match=r"class 1; the data hold cat\. Name the model's: write"):
        align_classes(data_set(image("a.jpg"), class_names=("cat",)), ("class 0", "class 1"))


def test_set_without_classes_fits_every_model():
    aligned = align_classes(data_set(image("a.jpg", ()), class_names=()), ("face",))
    assert len(aligned.images[0].targets) == 0


@pytest.mark.parametrize(
    ("of_data", "of_model"),
    [
        ("traffic_light", "traffic light"),
        ("Wine-Glass", "wine glass"),
        ("tvmonitor", "tv"),
        ("airplane", "aeroplane"),
        ("potted plant", "pottedplant"),
        ("sofa", "Couch"),
    ],
)
def test_alternative_spellings_of_a_class_match(of_data, of_model):
    annotations = data_set(image("a.jpg", (0, 1)), class_names=(of_data, "cat"))
    aligned = align_classes(annotations, ("cat", "N/A", of_model))
    assert aligned.images[0].targets.class_ids.tolist() == [2, 0]


def test_the_exact_name_comes_before_one_that_is_spelt_alike():
    annotations = data_set(image("a.jpg", (0, 1)), class_names=("rbc", "RBC"))
    assert align_classes(annotations, ("RBC", "rbc")).images[0].targets.class_ids.tolist() == [1, 0]
    annotations = data_set(image("a.jpg", (0,)), class_names=("Rbc", "dog"))
    assert align_classes(annotations, ("RBC", "rbc")).images[0].targets.class_ids.tolist() == [0]
