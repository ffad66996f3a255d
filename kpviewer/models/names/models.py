"""Names of models, and which of them run code. Parsing them needs no torch and imports nothing.

``loading.open_model`` lists the forms.
"""

import re
from pathlib import PurePath

from kpviewer.errors import WeightsError
from kpviewer.plug_ins import CODE, MODELS, plug_ins
from kpviewer.shipped import is_shipped

TORCHVISION = "torchvision:"
TWO_STAGE = "two-stage:"
ENGINE_SUFFIXES = (".engine", ".trt", ".plan")
"""TensorRT engines: their files are code."""
FILE_SUFFIXES = (".onnx", ".xml", *ENGINE_SUFFIXES)
"""Files of a graph, in lower case; a layout may follow their names."""
STATE_DICT_SUFFIXES = (".pt", ".pth", ".ckpt")
DARKNET_SUFFIXES = (".cfg", ".weights")
"""Files of a Darknet model: its network and its weights."""
_LAYOUT = r"[a-z][a-z0-9-]*"
_WITH_LAYOUT = re.compile(
    rf"(?P<model>.+\.(?:onnx|xml|engine|trt|plan))@(?P<layout>{_LAYOUT})", re.IGNORECASE
)
_SIZED = re.compile(r"(?P<model>.+)@(?P<side>\d{1,5})")


def is_factory_name(name: str) -> bool:
    """Return whether ``name`` has the form ``package.module:function``."""
    return CODE.fullmatch(name) is not None


def code_of(name: str) -> str | None:
    """Return the ``module:function`` that a single model's name runs; None if it names none.

    A package can't replace a shipped model by one of the same name.
    """
    if is_factory_name(name):
        return name
    added = plug_ins(MODELS).get(name)
    return None if added is None or is_shipped(name) else added.code


def split_input_size(name: str) -> tuple[str, int | None]:
    """Split "face-ssd@640" into the model and the side of its input, px; None if not given."""
    parts = _SIZED.fullmatch(name)
    return (parts["model"], int(parts["side"])) if parts else (name, None)


def split_layout(name: str) -> tuple[str, str | None]:
    """Split "best.onnx@yolox" into the file and the layout of its outputs; None if not given."""
    parts = _WITH_LAYOUT.fullmatch(name)
    return (parts["model"], parts["layout"].lower()) if parts else (name, None)


def with_layout(name: str, layout: str | None) -> str:
    """Return the name of a model whose outputs have a layout: "best.onnx" -> "best.onnx@yolox".

    Raises:
        WeightsError: if the model isn't an ONNX file, or it can't be a layout, such as "640".
    """
    if layout is None:
        return name
    if not re.fullmatch(_LAYOUT, layout, re.IGNORECASE):
        raise WeightsError(
            f"No layout is called {layout!r}. 'kpviewer models --layouts' lists those there are."
        )
    model, side = split_input_size(name)
    file, _ = split_layout(model)
    if name.startswith(TWO_STAGE) or not file.lower().endswith(FILE_SUFFIXES):
        cure = "Leave it out."
        if name.startswith(TWO_STAGE):
            cure = f"Write it after the name of the file: FILE.onnx@{layout}."
        raise WeightsError(f"--layout is for an ONNX file, got {name}. {cure}")
    return f"{file}@{layout}" + (f"@{side}" if side is not None else "")


def split_two_stage(name: str) -> tuple[str, str]:
    """Split "two-stage:BOXES+POINTS" into its two models; POINTS may contain a "+"."""
    boxes, _, points = name.removeprefix(TWO_STAGE).partition("+")
    return boxes, points


def code_in(name: str) -> tuple[str, ...]:
    """Return the code that opening a model of this name may run: ``module:function``, or an engine.

    This includes a name that is also a file's, as the file may be gone when it is opened.
    """
    parts = name.split("+") if name.startswith(TWO_STAGE) else [name]
    models = [split_input_size(_without_stages(part))[0] for part in parts]
    own = (
        _engine_of(model) or code_of(model) for model in models if not model.startswith(TORCHVISION)
    )
    return tuple(code for code in own if code is not None)


def is_engine(path: str | PurePath) -> bool:
    """Return whether a path is that of a TensorRT engine, by its suffix."""
    return PurePath(path).suffix.lower() in ENGINE_SUFFIXES


def _engine_of(model: str) -> str | None:
    """Return the file of a TensorRT engine, without a layout; None if it is something else."""
    file = split_layout(model)[0]
    return file if is_engine(file) else None


def _without_stages(part: str) -> str:
    while part.startswith(TWO_STAGE):
        part = part.removeprefix(TWO_STAGE)
    return part
