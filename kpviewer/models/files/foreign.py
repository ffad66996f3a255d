"""Models in formats that kpviewer doesn't open: what they are, and the export that it opens.

This module needs no torch. ``SECURITY.md`` says why TorchScript and torch.export aren't opened.
"""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from kpviewer.models.files.paths import archived
from kpviewer.models.limits import clean_name

_MAX_JSON_BYTES = 1 << 20
_YOLO = "yolo export model={best} format=onnx"
_AGAIN = f"Export the trained model to ONNX instead; with Ultralytics: {_YOLO}."
_TF = "python -m tf2onnx.convert"
_CODE = "opening it could run any code, so it is refused"
_SCRIPT = f"is a TorchScript program: {_CODE}. {_AGAIN}"
_PROGRAM = f"is a program of torch.export: {_CODE}. {_AGAIN}"
_LITE = "is a TensorFlow Lite model."
_CORE_ML = f"is a Core ML model. {_AGAIN}"
_NCNN = f"is an NCNN model. {_AGAIN}"
_PADDLE = "is a Paddle model. Convert it: paddle2onnx --model_dir FOLDER --save_file model.onnx"
_KERAS = 'is a Keras model. In Python: keras.models.load_model(FILE).export("model.onnx", '
_CHIP = "is compiled for {chip}. Open the ONNX file that it was compiled from."

_CURES: Mapping[str, str] = {
    ".torchscript": _SCRIPT,
    ".ptl": _SCRIPT,
    ".pt2": _PROGRAM,
    ".tflite": f"{_LITE} Convert it: {_TF} --tflite {{file}} --output {{stem}}.onnx",
    ".mlmodel": _CORE_ML,
    ".mlpackage": _CORE_ML,
    ".mlmodelc": _CORE_ML,
    ".pb": "is a TensorFlow graph. Convert the folder of its SavedModel: "
    f"{_TF} --saved-model FOLDER --output model.onnx",
    ".h5": f'{_KERAS}format="onnx").',
    ".hdf5": f'{_KERAS}format="onnx").',
    ".keras": f'{_KERAS}format="onnx").',
    ".hef": _CHIP.format(chip="Hailo's chips"),
    ".har": _CHIP.format(chip="Hailo's chips"),
    ".rknn": _CHIP.format(chip="Rockchip's NPUs"),
    ".dlc": _CHIP.format(chip="Qualcomm's chips"),
    ".om": _CHIP.format(chip="Huawei's Ascend chips"),
    ".blob": _CHIP.format(chip="Intel's Myriad chips"),
    ".bmodel": _CHIP.format(chip="Sophgo's chips"),
    ".kmodel": _CHIP.format(chip="Kendryte's chips"),
    ".param": _NCNN,
    ".mnn": f"is an MNN model. {_AGAIN}",
    ".pdmodel": _PADDLE,
    ".pdiparams": _PADDLE,
    ".pdparams": _PADDLE,
    ".caffemodel": "is a Caffe model. Convert it to ONNX, or look for an ONNX file of it.",
    ".pkl": f"is a pickle: {_CODE}. {_AGAIN}",
    ".joblib": f"is a pickle: {_CODE}. {_AGAIN}",
    ".bin": "holds weights alone. Open the .xml of OpenVINO or an ONNX file. From Hugging Face: "
    "optimum-cli export onnx --model FOLDER onnx",
}
"""What a file of a suffix is, and what to do: {file} and {stem} name it, {best} its original."""
FOREIGN_SUFFIXES = tuple(_CURES)


def foreign_refusal(path: Path) -> str | None:
    """Return why a file or folder of another program isn't opened, and what to do; else None."""
    if path.is_dir() and (text := _folder_refusal(path)) is not None:
        return text
    cure = _CURES.get(path.suffix.lower())
    return _filled(cure, path) if cure is not None and path.exists() else None


def archive_refusal(path: Path) -> str | None:
    """Return why a ``.pt`` that holds a program, not tensors, isn't opened; None for others."""
    names = [item.filename for item in archived(path) or ()]
    inside = {name.partition("/")[2] for name in names}
    if "archive_format" in inside or "serialized_exported_program.json" in names:
        return _filled(_PROGRAM, path)
    if "constants.pkl" in inside or any(name.startswith("code/") for name in inside):
        return _filled(_SCRIPT, path)
    return None


def hugging_face_refusal(path: Path) -> str | None:
    """Return how to export a model of Hugging Face, by the ``config.json`` beside its weights."""
    folder = path if path.is_dir() else path.parent
    try:
        with (folder / "config.json").open("rb") as file:
            config = json.loads(file.read(_MAX_JSON_BYTES))
        kind = config.get("architectures", [None])[0] or config.get("model_type")
    except (OSError, ValueError, RecursionError, AttributeError, LookupError, TypeError):
        return None
    if not isinstance(kind, str):
        return None
    target = shlex.quote(str(folder))
    return (
        f"{path.name} is of Hugging Face ({clean_name(kind)}). "
        f"Export it: optimum-cli export onnx --model {target} onnx"
    )


def _folder_refusal(folder: Path) -> str | None:
    if (folder / "saved_model.pb").exists():
        target = shlex.quote(folder.name)
        cure = f"{_TF} --saved-model {target} --output {target}.onnx"
        return f"{folder.name} is a SavedModel of TensorFlow. Convert it: {cure}"
    if any(folder.glob("*.param")):
        return f"{clean_name(folder.name)} {_NCNN.format(best=f'{_stem(folder)}.pt')}"
    return hugging_face_refusal(folder)


def _stem(folder: Path) -> str:
    """Return the stem of the original of an exported folder: ``best_ncnn_model`` of best.pt."""
    return shlex.quote(clean_name(folder.name).removesuffix("_ncnn_model"))


def _filled(text: str, path: Path) -> str:
    """Return the sentence about a file; commands in it can be pasted into a shell."""
    best = "ORIGINAL.pt" if path.suffix.lower() in (".pt", ".pth") else f"{path.stem}.pt"
    names = {"file": path.name, "stem": path.stem, "best": best}
    words = {name: shlex.quote(clean_name(value)) for name, value in names.items()}
    return f"{clean_name(path.name)} {text.format(**words)}"
