"""Kinds of models: each is a module."""

import pytest
from interpreter import python

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.evaluation import kinds
from kpviewer.evaluation.evaluator import evaluate, kind_of
from kpviewer.evaluation.kinds import detections, grid, multilabel, points, single_object
from kpviewer.models.spec import ModelSpec, Task

KIND = """
from kpviewer.evaluation.kind import ModelKind

KIND = ModelKind(lambda model, data, options: (model, data), architectures=("new",))
"""


@pytest.mark.parametrize(
    ("architecture", "task", "kind"),
    [
        ("face-ssd", Task.DETECT_KEYPOINTS, detections),
        ("onnx", Task.DETECT, detections),
        ("onnx", Task.CLASSIFY, multilabel),
        ("multilabel-light", Task.CLASSIFY, multilabel),
        ("single-object-light", Task.DETECT, single_object),
        ("points-mobilenet", Task.KEYPOINTS, points),
        ("strip-grid", Task.DETECT, grid),
    ],
)
def test_a_model_has_the_kind_of_its_architecture_else_of_its_task(architecture, task, kind):
    assert kind_of(architecture, task) is kind.KIND  # type: ignore[attr-defined]


def test_models_that_run_without_torch_are_scored_without_importing_it():
    out = python(
        "import sys\n"
        "from kpviewer.evaluation.evaluator import kind_of\n"
        "from kpviewer.models.spec import Task\n"
        "kind_of('face-ssd', Task.DETECT_KEYPOINTS), kind_of('strip-grid', Task.DETECT)\n"
        "kind_of('onnx', Task.DETECT)\n"
        "print('torch' in sys.modules)"
    )
    assert out == "False\n"


def test_a_new_kind_needs_only_a_module(tmp_path, monkeypatch):
    (tmp_path / "new_kind_of_model.py").write_text(KIND)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])

    class Model:
        spec = ModelSpec("mine", "new", Task.DETECT, ("face",), (8, 8))

    model, data = Model(), AnnotationSet((), ("face",), ())
    assert evaluate(model, data) == (model, data)  # type: ignore[comparison-overlap, arg-type]
