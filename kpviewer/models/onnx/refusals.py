"""Why ONNX Runtime and OpenVINO refuse a file, and what to do: by words in their errors."""

import re
from pathlib import Path

from kpviewer.errors import WeightsError
from kpviewer.models.tables import first_line
from kpviewer.system.paths import is_utf8

_LFS = b"version https://git-lfs"
_CODES = re.compile(
    r"^.*\[ONNXRuntimeError\] : \d+ : \w+ : (Load model from .* failed:)?(\w+\.cc:\d+ \w+ )?",
    re.DOTALL,
)
_SENTENCES = (
    (
        r"NMS\w*_TRT",
        "has a TensorRT plug-in for NMS, which only TensorRT runs. Export it again without "
        "--end2end; YOLOv7 and YOLOv6 also with --end2end --max-wh 640.",
    ),
    (
        r"IR version|Opset \d+ is under",
        "is written for a newer ONNX Runtime: pip install --upgrade onnxruntime. Or export it "
        "again with a lower opset.",
    ),
    (
        r"escapes model directory|Absolute path not allowed",
        "keeps its weights in a file outside of its folder, which isn't read. Put that file beside "
        "it, and export it again with that name.",
    ),
    (
        r"External initializer",
        "keeps its weights in another file beside it, which is cut off. Fetch that file again.",
    ),
    (
        r"External data",
        "keeps its weights in another file, such as {stem}.onnx.data or {stem}.onnx_data, that "
        "isn't beside it. Fetch both.",
    ),
    (
        r"(\S+)\(-?\d+\) is not a registered function",
        "has the operator {found}, which ONNX Runtime lacks. Export it again without plug-ins.",
    ),
    (r"weights", "needs the weights that belong to it, {stem}.bin, beside it."),
    (
        r"INVALID_PROTOBUF|No graph was found",
        "can't be opened: it isn't an ONNX file, or is cut off. Fetch it again.",
    ),
)


def refusal(path: Path, error: BaseException) -> WeightsError:
    """Return the error for a file that a library can't open."""
    reason = str(error)
    if _begins_with(path, _LFS):
        return WeightsError(f"{path.name} is a pointer of Git LFS, not the file: git lfs pull.")
    if not is_utf8(str(path)):
        return WeightsError(
            f"{path} can't be opened: its path isn't valid UTF-8. Rename the file or its folder."
        )
    for pattern, sentence in _SENTENCES:
        if match := re.search(pattern, reason):
            found = match[1][:60] if match.re.groups else ""
            return WeightsError(f"{path.name} " + sentence.format(stem=path.stem, found=found))
    return WeightsError(
        f"{path.name} can't be opened: {plain_reason(error)}. Is the file complete?"
    )


def plain_reason(error: BaseException) -> str:
    """Return the reason of a library's error, without codes and places in ONNX Runtime's source."""
    return first_line(ValueError(_CODES.sub("", str(error)).strip(" .\n")))


def _begins_with(path: Path, start: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except OSError:
        return False
