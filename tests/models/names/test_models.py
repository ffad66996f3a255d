"""Names of models that run code: all that ``open_model`` would hand to the factory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpviewer.errors import WeightsError
from kpviewer.models import loading
from kpviewer.models.names.models import code_in, split_layout, with_layout
from kpviewer.models.opening import torch_loading


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("face-ssd", ()),
        ("face-ssd@640", ()),
        ("weights/mine.onnx", ()),
        ("C:\\models\\mine.onnx", ()),
        ("two-stage:face-ssd+face-points", ()),
        ("torchvision:ssd300_vgg16@640", ()),
        ("two-stage:torchvision:ssd300_vgg16+face-points", ()),
        ("own:build", ("own:build",)),
        ("a.b.own:build", ("a.b.own:build",)),
        ("own:build@640", ("own:build",)),
        ("two-stage:own:build+face-points", ("own:build",)),
        ("two-stage:face-ssd+own:points@64", ("own:points",)),
        ("two-stage:own:build+x.onnx", ("own:build",)),
        ("two-stage:two-stage:own:a+own:b+own:c", ("own:a", "own:b", "own:c")),
    ],
)
def test_code_is_found_in_every_form(name, code):
    assert code_in(name) == code


PARTS = st.sampled_from(
    [
        "two-stage:",
        "torchvision:",
        "+",
        "@",
        "64",
        "own:build",
        "own",
        ":",
        "x.onnx",
        "face-ssd",
        "a.",
        "a",
        ".pt",
    ]
)


@given(st.lists(PARTS, max_size=8).map("".join))
def test_the_factory_gets_only_functions_found_in_the_name(name):
    asked: list[str] = []

    def refuse(asked_for: object, *_: object) -> None:
        raise WeightsError(str(asked_for))

    def note(asked_for: str) -> None:
        asked.append(asked_for)
        raise WeightsError(asked_for)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_loading, "open_factory", note)
        patch.setattr(loading, "open_onnx", refuse)
        patch.setattr(loading, "open_shipped", refuse)
        for opener in ("open_state_dict", "load_model", "open_torchvision"):
            patch.setattr(torch_loading, opener, refuse)
        with pytest.raises(WeightsError):
            loading.open_model(name)
    assert set(asked) <= set(code_in(name))


def test_a_long_name_is_split_without_recursion():
    assert code_in("two-stage:" * 50_000 + "own:build") == ("own:build",)


@pytest.mark.parametrize("file", ["a.onnx", "a.xml", "b@c.ONNX"])
def test_a_layout_stands_after_the_file(file):
    assert split_layout(with_layout(file, "yolox")) == (file, "yolox")
    assert with_layout(f"{file}@640", "yolox") == f"{file}@yolox@640"
    assert split_layout(file) == (file, None)


@pytest.mark.parametrize("layout", ["640", "", "yolo x", "@yolox"])
def test_what_cannot_be_a_layout_is_refused(layout):
    with pytest.raises(WeightsError, match="No layout is called"):
        with_layout("a.onnx", layout)
