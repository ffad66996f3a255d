"""What a loaded model changes for the truth that a source is compared with."""

import logging
import time
from dataclasses import replace

import pytest
from annotations.samples import data_set, picture
from fakes import FAKE_SPEC, FakeEngine

from kpviewer.annotations.truth import AnnotationTruth
from kpviewer.gui.model_loading import ModelLoading
from kpviewer.gui.options import ViewerOptions


def loaded(truth: AnnotationTruth, *class_names: str) -> None:
    """Load a model of these classes, and wait for it."""
    engine = FakeEngine(spec=replace(FAKE_SPEC, class_names=class_names))
    options = ViewerOptions(
        model="other",
        truth=truth,
        load_engine=lambda _name, _device, _size: engine,
        list_devices=lambda: {"cpu": "CPU"},
    )
    loading = ModelLoading(options)
    try:
        loading.load("other")
        deadline = time.monotonic() + 20
        while loading.poll(None, can_wait=False) is None:
            assert loading.failure is None
            assert time.monotonic() < deadline, "the model must be loaded in time"
    finally:
        loading.close()


def test_truth_takes_the_ids_of_whatever_model_is_loaded() -> None:
    truth = AnnotationTruth(data_set(picture("a.jpg", (0, 1)), class_names=("sofa", "dog")))
    loaded(truth, "dog", "couch")
    found = truth.for_frame(0, "a.jpg")
    assert found is not None
    assert found.class_ids.tolist() == [1, 0]


def test_a_model_of_other_things_is_watched_without_truth(
    caplog: pytest.LogCaptureFixture,
) -> None:
    truth = AnnotationTruth(data_set(picture("a.jpg", (0, 1)), class_names=("sofa", "dog")))
    with caplog.at_level(logging.WARNING, "kpviewer"):
        loaded(truth, "car", "tram")
    assert truth.for_frame(0, "a.jpg") is None
    assert "share a class" in caplog.text
