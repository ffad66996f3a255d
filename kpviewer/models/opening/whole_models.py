"""Whole models in pickles: who wrote a file, by the names in it, and the export that opens.

Nothing is unpickled or looked up. This module needs no torch.
"""

import lzma
import pickletools
import shlex
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from kpviewer.errors import WeightsError
from kpviewer.models.files.foreign import archive_refusal
from kpviewer.models.limits import clean_name

_MAX_PICKLE_BYTES = 64 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)
_MAKERS = {
    "ultralytics.": "a whole Ultralytics model: yolo export model={} format=onnx",
    "models.yolo.": "a whole YOLO model: python export.py --weights {} --include onnx",
    "models.common.": "a whole YOLO model: python export.py --weights {} --include onnx",
    "super_gradients.": 'a whole YOLO-NAS model: model.export("model.onnx")',
    "rfdetr.": "a whole RF-DETR model: RFDETRBase(pretrain_weights=FILE).export()",
    "mmdet.": "a model of MMDetection: tools/deploy.py of MMDeploy with the backend onnxruntime",
    "mmpose.": "a model of MMPose: tools/deploy.py of MMDeploy with the backend onnxruntime",
    "yolox.": "a YOLOX model: python tools/export_onnx.py -c {} --decode_in_inference",
}
"""What a file holds that names a module of these packages, and the export that opens."""


def maker_refusal(path: Path, names: Iterable[str]) -> str | None:
    """Return why a file of a known maker is refused, and what to do; None for others."""
    found = tuple(names)
    for package, text in _MAKERS.items():
        if any(each.startswith(package) for each in found):
            what, _, command = text.format(shlex.quote(path.name)).partition(": ")
            return (
                f"{path.name} holds {what}: opening such a pickle could run any code, so it is "
                f"refused. Export it instead: {command}"
            )
    return None


def refuse_whole_model(path: Path) -> None:
    """Refuse a ``.pt`` that no installation opens, so that nobody installs torch for it.

    Raises:
        WeightsError: if it holds a program or a whole model of a known maker, or is damaged.
    """
    text = archive_refusal(path) or maker_refusal(path, _names_in(path))
    if text is not None:
        raise WeightsError(text)


def _names_in(path: Path) -> list[str]:
    """Return the classes and functions that a file names: what can be read of them."""
    names: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            item = next(each for each in archive.infolist() if each.filename.endswith("/data.pkl"))
            if item.file_size > _MAX_PICKLE_BYTES:
                return []
            for opcode, argument, _ in pickletools.genops(archive.read(item)):
                if opcode.name == "GLOBAL":
                    names.append(clean_name(str(argument)).replace(" ", "."))
    except (OSError, ValueError, EOFError, RuntimeError, StopIteration, *_DAMAGED):
        pass  # another format, encrypted, or damaged: torch's reader says what
    return names
