"""Read thousands of damaged files with every reader: each must be read, or refused with a message.

    python benchmarks/fuzz_readers.py                          # all readers, 2,000 files each
    python benchmarks/fuzz_readers.py weights onnx --count 200 --seed 7

A *finding* is an exception that isn't a ``KpviewerError``, a file that takes over 10 s of processor
time (the first of a process also imports libraries), or one that takes over 2 GB of memory. Files
are read in forked processes, which require Linux or macOS; memory is measured on Linux.
``--only INDEX`` repeats one file of a reader and keeps it.

A reader is added with ``@reader(name, write)``: ``write(folder, random)`` writes one damaged file
into an empty folder and returns its path, and the decorated function reads it. Readers import their
modules inside, which keeps listing them fast.
"""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import click

Write = Callable[[Path, Random], Path]
Read = Callable[[Path], object]


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader, and the function that damages its files."""

    write: Write
    read: Read


@dataclass(frozen=True, slots=True)
class Finding:
    """Outcome of one damaged file."""

    index: int
    kind: str
    """"read", "refused", or the finding: "uncaught", "hang", "memory", "killed", "unwritten"."""
    detail: str
    seconds: float
    megabytes: float
    """Growth of the process's memory."""


READERS: dict[str, Reader] = {}
FINE = ("read", "refused")
_WALL_FACTOR = 6
"""Ratio of allowed wall-clock time to allowed CPU time: a machine may be busy."""
_SAFETY_FACTOR = 2
"""Ratio of a process's address space to the allowed memory."""


def reader(name: str, write: Write) -> Callable[[Read], Read]:
    """Register a reader."""

    def registered(read: Read) -> Read:
        READERS[name] = Reader(write, read)
        return read

    return registered


# -- damage ----------------------------------------------------------------------------------------

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 0.5, 1.5, -0.0, 255, 65_536, 2**31, 2**63, 10**12, 10**400,
    1e308, 1e-308, float("nan"), float("inf"), float("-inf"), "", "x", "0", "\x00", "\ud800",
    "\u202e", "x\ny", "<img src=x>", "x" * 5_000, [], {}, [[]], [None], [1], [[0, 1, 2]], [-1, -9],
    {"x": 1},
)  # fmt: skip


def odd_value(random: Random) -> Any:
    """Return a value that few readers expect; rarely a large one."""
    if random.random() < 0.9:
        return random.choice(ODD_VALUES)
    large: tuple[Callable[[], Any], ...] = (
        lambda: ["x"] * 100_000,
        lambda: [[0, 1]] * 100_000,
        lambda: "x" * 1_000_000,
        lambda: [30_000, 30_000],
        lambda: [10**9, 10**9],
        lambda: nested(random.choice([50, 900, 20_000])),
    )
    return random.choice(large)()


def nested(depth: int) -> Any:
    """Return nested lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def json_text(value: Any) -> str:
    """Return a value as JSON, even if it is nested too deeply for the library."""
    try:
        return json.dumps(value)
    except RecursionError:
        return "[" * 20_000 + "]" * 20_000


def literal_text(value: Any) -> str:
    """Return a value as Python's repr, even if it is nested too deeply for repr."""
    try:
        return str(value)
    except RecursionError:
        return "[" * 20_000 + "]" * 20_000


def damaged_value(value: Any, random: Random) -> Any:
    """Change one item of a JSON value, at any depth."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        changed = dict(value)
        fate = random.random()
        if fate < 0.1:
            del changed[key]
        elif fate < 0.15:
            changed[str(random.choice(ODD_VALUES))[:50]] = changed.pop(key)
        else:
            changed[key] = damaged_value(value[key], random)
        return changed
    if isinstance(value, list) and value and random.random() < 0.6:
        place = random.randrange(len(value))
        part = [damaged_value(value[place], random)]
        part *= random.choice([0, 1, 1, 1, 2])
        return [*value[:place], *part, *value[place + 1 :]]
    if isinstance(value, int | float) and not isinstance(value, bool) and random.random() < 0.4:
        return random.choice([-value, value * 1000, value + 0.5, value + 1, value - 1, str(value)])
    return odd_value(random)


def damaged_bytes(data: bytes, random: Random) -> bytes:
    """Flip, cut, duplicate or insert bytes at a few positions."""
    changed = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 8])):
        place = random.randrange(len(changed) + 1)
        span = slice(place, place + random.choice([1, 4, 40]))
        match random.randrange(5):
            case 0:
                changed[span] = random.randbytes(len(changed[span]))
            case 1:
                del changed[place:]
            case 2:
                changed[place:place] = changed[span] * random.choice([1, 2, 50])
            case 3:
                changed[place:place] = random.choice(_ODD_BYTES)
            case _:
                del changed[span]
    return bytes(changed)


_ODD_BYTES = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"-", b"'", b'"', b"[" * 500, b"{",
    b"&a [*a, *a]", b"9" * 5_000, b"NaN", b"1e999", b"\r", b"\n" * 50, b"\t", b"%20", b";", b"/",
)  # fmt: skip


def damaged_text(text: str, random: Random) -> bytes:
    """Damage a text like ``damaged_bytes``, or move, duplicate and remove lines."""
    if random.random() < 0.6:
        return damaged_bytes(text.encode(), random)
    lines = text.splitlines(keepends=True)
    place, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(3):
        case 0:
            lines[place] = lines[other]
        case 1:
            lines[place:place] = lines[other : other + 1] * random.choice([1, 3, 300])
        case _:
            del lines[place]
    return "".join(lines).encode()


# -- running ---------------------------------------------------------------------------------------


def write_damaged(name: str, index: int, seed: int, folder: Path) -> Path:
    """Write one damaged file of a reader; it depends only on name, index and seed."""
    return READERS[name].write(folder, Random(f"{name} {seed} {index}"))


def read_damaged(name: str, path: Path) -> tuple[str, str]:
    """Read a file; return the outcome and the message."""
    from kpviewer.errors import KpviewerError

    try:
        READERS[name].read(path)
    except KpviewerError as error:
        lines = str(error).splitlines()
        if len(lines) > 2 or len(str(error)) > 1_000:
            return "uncaught", f"a message of {len(lines)} lines, {len(str(error))} characters"
        return "refused", str(error)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        places = " < ".join(f"{Path(each.filename).name}:{each.lineno}" for each in frames[::-1])
        return "uncaught", f"{type(error).__name__}: {str(error)[:150]} at {places}"
    return "read", ""


def run(name: str, count: int, seed: int, seconds: float, megabytes: float) -> Iterator[Finding]:
    """Read ``count`` damaged files with a reader, in processes that are replaced if they end."""
    start = 0
    while start < count:
        for finding in _run_process(name, start, count, (seed, seconds, megabytes)):
            yield finding
            start = finding.index + 1


def _run_process(
    name: str, start: int, count: int, limits: tuple[int, float, float]
) -> Iterator[Finding]:
    seed, seconds, megabytes = limits
    receiving, sending = os.pipe()
    folder = Path(tempfile.mkdtemp(prefix="kpviewer-fuzz-"))
    child = os.fork()
    if child == 0:
        os.close(receiving)
        _work(name, range(start, count), (seed, megabytes), folder, sending)
    os.close(sending)
    index, ended = start, False
    try:
        with os.fdopen(receiving, "rb") as pipe:
            while index < count and not ended:
                ready, _, _ = select.select([pipe], [], [], _WALL_FACTOR * seconds)
                line = pipe.readline() if ready else None
                if line:
                    values = json.loads(line)
                    kind = values[0]
                    if kind in FINE and values[3] > seconds and index != start:
                        kind = "hang"
                    elif kind in FINE and values[2] > megabytes:
                        kind = "memory"
                    yield Finding(index, kind, *values[1:2], values[3], values[2])
                else:
                    ended = True
                    kind = "hang" if line is None else "killed"
                    yield Finding(index, kind, f"the process was {kind}", seconds, 0.0)
                index += 1
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        shutil.rmtree(folder, ignore_errors=True)


def _work(name: str, indices: range, limits: tuple[int, float], folder: Path, sending: int) -> None:
    """Read file after file and report each on a line; never returns."""
    seed, megabytes = limits
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    warnings.simplefilter("ignore")
    for index in indices:
        inside = folder / str(index)
        inside.mkdir()
        try:
            path = write_damaged(name, index, seed, inside)
        except Exception:
            _report(
                sending, "unwritten", traceback.format_exc()[-600:].replace(chr(10), " "), 0.0, 0.0
            )
            continue
        before, size = _memory("VmRSS"), _memory("VmSize")
        if size and index != indices.start:  # the first one imports libraries
            most = int((size + _SAFETY_FACTOR * megabytes) * 2**20)
            resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
        _forget_peak()
        began = time.process_time()
        kind, detail = read_damaged(name, path)
        taken = time.process_time() - began
        grown = max(0.0, _memory("VmHWM") - before)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        shutil.rmtree(inside, ignore_errors=True)
        _report(sending, kind, detail[:600], grown, taken)
    os._exit(0)


def _report(sending: int, kind: str, detail: str, grown: float, taken: float) -> None:
    os.write(sending, json.dumps([kind, detail, grown, taken]).encode() + b"\n")


def _memory(entry: str) -> float:
    """Return an entry of the process's status in MB; 0 if the system has none."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(entry + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


@click.command
@click.argument("names", nargs=-1)
@click.option("--count", default=2_000, show_default=True, help="Damaged files for each reader.")
@click.option("--seed", default=0, show_default=True, help="Of the damage.")
@click.option("--seconds", default=10.0, show_default=True, help="That one file may take.")
@click.option("--megabytes", default=2_048.0, show_default=True, help="That one file may take.")
@click.option("--only", type=int, help="Write and read one file in this process; keep it.")
def main(
    names: tuple[str, ...],
    count: int,
    seed: int,
    seconds: float,
    megabytes: float,
    only: int | None,
) -> None:
    """Fuzz the readers NAMES, by default all; exit with 1 if there are findings."""
    unknown = sorted(set(names) - set(READERS))
    if unknown:
        raise click.BadParameter(f"no reader {unknown[0]!r}; there are {', '.join(READERS)}")
    if only is not None:
        path = write_damaged(names[0], only, seed, Path(tempfile.mkdtemp()))
        print(path, *read_damaged(names[0], path))
        return
    found = 0
    for name in names or READERS:
        kinds: Counter[str] = Counter()
        slowest = largest = 0.0
        slowest_at = 0
        for finding in run(name, count, seed, seconds, megabytes):
            kinds[finding.kind] += 1
            if finding.seconds > slowest:
                slowest, slowest_at = finding.seconds, finding.index
            largest = max(largest, finding.megabytes)
            if finding.kind not in FINE:
                found += 1
                print(
                    f"  {name} --only {finding.index}: {finding.kind}: {finding.detail}", flush=True
                )
        text = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
        print(
            f"{name}: {text}; slowest {slowest:.1f} s (--only {slowest_at}), most {largest:.0f} MB",
            flush=True,
        )
    sys.exit(1 if found else 0)


# -- readers ---------------------------------------------------------------------------------------


def _spec_of_small_model() -> dict[str, Any]:
    """Return the description of a network with every possible key."""
    from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC

    spec: dict[str, Any] = json.loads(FACE_SPEC.to_json())
    spec["skeleton"] = [[0, 1], [1, 2], [2, 3], [3, 4]]
    spec["activation_ranges"] = [["backbone.stem.0", -2.5, 2.5]]
    return spec


def _header_with(spec_text: str, path: Path) -> Path:
    """Write a model file with a description as text and the tensors of face-ssd."""
    import struct

    tensors, payload = _face_tensors()
    header = json.dumps({"__metadata__": {"kpviewer": spec_text}, **tensors}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + payload)
    return path


_cache: dict[str, Any] = {}


def _face_tensors() -> tuple[dict[str, Any], bytes]:
    if "face" not in _cache:
        from safetensors.torch import save

        from kpviewer.models.networks.ssd.face_ssd import build_face_ssd

        state = {
            name: value.half() if value.is_floating_point() else value
            for name, value in build_face_ssd().network.state_dict().items()
        }
        data = save({name: value.contiguous() for name, value in state.items()})
        length = int.from_bytes(data[:8], "little")
        _cache["face"] = json.loads(data[8 : 8 + length]), data[8 + length :]
    tensors, payload = _cache["face"]
    return dict(tensors), payload


def write_spec(folder: Path, random: Random) -> Path:
    """Write a model file with one wrong value in its description."""
    return _header_with(
        json_text(damaged_value(_spec_of_small_model(), random)), folder / "model.safetensors"
    )


def write_weights(folder: Path, random: Random) -> Path:
    """Write a model file with damaged bytes, most of them in its header."""
    path = _header_with(json.dumps(_spec_of_small_model()), folder / "model.safetensors")
    data = path.read_bytes()
    near = int.from_bytes(data[:8], "little") + 8 if random.random() < 0.9 else len(data)
    path.write_bytes(damaged_bytes(data[:near], random) + data[near:])
    return path


@reader("spec", write_spec)
@reader("weights", write_weights)
def open_run_and_paint(path: Path) -> None:
    """Open a model, run it on one image and draw its detections."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    from kpviewer.models.loading import open_model
    from kpviewer.models.selection import select
    from kpviewer.overlay import OverlayStyle, ensure_gui_application, render
    from kpviewer.runtime.executor import Executor
    from kpviewer.structures import Frame, FrameResult, StageTimings, Thresholds

    detector = open_model(str(path))
    spec = detector.spec
    style = OverlayStyle(class_names=spec.class_names, skeleton=spec.skeleton)
    backend = "onnxruntime" if path.suffix == ".onnx" else "torch"
    executor = Executor(detector, "cpu", "fp32", backend)
    ensure_gui_application()
    for shape in ((60, 80, 3), (97, 41, 3)):
        bgr = np.zeros(shape, np.uint8)
        candidates, _ = executor.infer(bgr)
        select(candidates, spec.thresholds)
        everything = select(candidates, Thresholds(score=0.0, iou=0.5, max_detections=20))
        frame = Frame(0, 0, 0.0, bgr, None, None)
        render(FrameResult(frame, candidates, everything, StageTimings()), style)


DARKNET_CFG = """\
# small
[net]
width=64
height=64
channels=3
momentum=0.9

[convolutional]
batch_normalize=1
filters=6
size=3
stride=32
pad=1
activation=leaky

[shortcut]
from=-1
activation=linear

[maxpool]
size=2
stride=1

[route]
layers = -1, 0
groups=2

[convolutional]
filters=7
activation=linear

[yolo]
mask = 1
anchors = 10,13,  16,30.5
classes=2
num=2
scale_x_y = 1.05

[route]
layers=-3

[upsample]
stride=2

[convolutional]
filters=7
activation=linear

[yolo]
mask = 0
anchors = 10,13,  16,30.5
classes=2
num=2
"""


def _darknet_weights() -> bytes:
    """Return weights for the cfg: 6 * (4 + 27), 7 * (1 + 6) and 7 * (1 + 6) values."""
    if "darknet" not in _cache:
        import struct

        _cache["darknet"] = struct.pack("<3iq284f", 0, 2, 0, 1, *([0.25] * 284))
    data: bytes = _cache["darknet"]
    return data


def write_darknet_cfg(folder: Path, random: Random) -> Path:
    """Write intact weights, and a damaged cfg or one with a changed value."""
    text = DARKNET_CFG
    if random.random() < 0.5:
        lines = [at for at, line in enumerate(text.splitlines()) if "=" in line]
        changed = text.splitlines()
        at = random.choice(lines)
        changed[at] = f"{changed[at].partition('=')[0]}={literal_text(odd_value(random))}"
        data = "\n".join(changed).encode("utf-8", "surrogatepass")
    else:
        data = damaged_text(text, random)
    (folder / "model.cfg").write_bytes(data)
    (folder / "model.weights").write_bytes(_darknet_weights())
    return folder / "model.cfg"


def write_darknet_weights(folder: Path, random: Random) -> Path:
    """Write an intact cfg, and damaged weights or a damaged list of names."""
    (folder / "model.cfg").write_text(DARKNET_CFG)
    weights, names = _darknet_weights(), b"crow\ngull\n"
    if random.random() < 0.7:
        weights = damaged_bytes(weights, random)
    else:
        names = damaged_bytes(names, random)
    (folder / "model.weights").write_bytes(weights)
    (folder / random.choice(["model.names", "obj.names"])).write_bytes(names)
    return folder / "model.weights"


reader("darknet-cfg", write_darknet_cfg)(open_run_and_paint)
reader("darknet-weights", write_darknet_weights)(open_run_and_paint)

ULTRALYTICS = {
    "description": "Ultralytics YOLO11n-pose model",
    "task": "pose",
    "names": "{0: 'dog', 1: 'cat'}",
    "imgsz": "[64, 64]",
    "stride": "32",
    "batch": "1",
    "kpt_shape": "[2, 3]",
    "end2end": "False",
    "args": "{'batch': 1, 'half': False, 'dynamic': False, 'nms': False}",
    "license": "AGPL-3.0",
}

ONNX_TOML = """\
name = "birds"
classes = ["crow", "gull"]
keypoints = ["beak", "tail"]
skeleton = [[0, 1]]
input = [64, 64]
stride = 32
resize = "letterbox"
channels = "rgb"
value_range = [0, 1]
mean = [0, 0, 0]
std = [1, 1, 1]
score_threshold = 0.25
iou_threshold = 0.45
licence = "MIT"
trained_on = "birds"

[output]
kind = "yolov8"
rows = "y"
normalised = false
"""


def _write_onnx(path: Path, metadata: dict[str, str], *, is_open: bool) -> Path:
    """Write a model that returns the same two rows for any image: (1, 12, 2)."""
    import numpy as np
    import onnx
    from onnx import helper

    sides: list[Any] = ["h", "w"] if is_open else [64, 64]
    rows = np.zeros((1, 12, 2), np.float32)
    rows[0, :6, 0] = [32, 32, 20, 20, 0.9, 0.1]
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], keepdims=0),
        helper.make_node("Mul", ["m", "zero"], ["z"]),
        helper.make_node("Add", ["rows", "z"], ["y"]),
    ]
    real = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", real, [1, 3, *sides])],
        [helper.make_tensor_value_info("y", real, [1, 12, 2])],
        [
            onnx.numpy_helper.from_array(rows, "rows"),
            onnx.numpy_helper.from_array(np.array(0, np.float32), "zero"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {k: v.encode("utf-8", "replace") for k, v in metadata.items()})
    path.write_bytes(model.SerializeToString())
    return path


def write_onnx_metadata(folder: Path, random: Random) -> Path:
    """Write an ONNX file with Ultralytics metadata that has one wrong entry."""
    metadata = dict(ULTRALYTICS)
    key = random.choice(list(metadata))
    fate = random.random()
    if fate < 0.5:
        metadata[key] = literal_text(odd_value(random))
    elif fate < 0.8:
        metadata[key] = damaged_bytes(metadata[key].encode(), random).decode("utf-8", "replace")
    elif fate < 0.9:
        value = damaged_value(["dog", "cat"], random)
        metadata["names"] = literal_text(
            dict(enumerate(value)) if isinstance(value, list) else value
        )
    else:
        depth = random.choice([100, 5_000, 200_000])
        metadata[key] = random.choice(["-" * depth + "1", "[" * depth, "(" * depth + ")" * depth])
    return _write_onnx(folder / "model.onnx", metadata, is_open=random.random() < 0.5)


def write_onnx_toml(folder: Path, random: Random) -> Path:
    """Write an ONNX file, and beside it a description with one wrong value."""
    import tomllib

    import tomli_w

    text: bytes | None = None
    if random.random() < 0.7:
        with suppress(TypeError, ValueError, RecursionError):
            table = damaged_value(tomllib.loads(ONNX_TOML), random)
            text = tomli_w.dumps(table if isinstance(table, dict) else {"x": table}).encode(
                "utf-8", "surrogatepass"
            )
    if text is None:
        text = damaged_text(ONNX_TOML, random)
    (folder / "model.toml").write_bytes(text)
    return _write_onnx(folder / "model.onnx", {}, is_open=random.random() < 0.5)


def write_onnx_bytes(folder: Path, random: Random) -> Path:
    """Write an ONNX file with damaged bytes."""
    path = _write_onnx(folder / "model.onnx", dict(ULTRALYTICS), is_open=random.random() < 0.5)
    path.write_bytes(damaged_bytes(path.read_bytes(), random))
    return path


reader("onnx-metadata", write_onnx_metadata)(open_run_and_paint)
reader("onnx-toml", write_onnx_toml)(open_run_and_paint)
reader("onnx-bytes", write_onnx_bytes)(open_run_and_paint)


def write_checkpoint(folder: Path, random: Random) -> Path:
    """Write a checkpoint with odd values beside and among its tensors, or with damaged bytes."""
    import argparse

    import torch

    path = folder / "model.pth"
    state: dict[str, Any] = {f"layer{index}.weight": torch.ones(2, 3) for index in range(4)}
    tensors = (
        torch.zeros(2, device="meta"),
        torch.ones(1).expand(1 << 30),
        torch.eye(3).to_sparse(),
        torch.full((2,), float("nan")),
        torch.zeros(2, dtype=torch.complex64),
    )
    content: dict[str, Any] = {"model": state, "args": argparse.Namespace(lr=0.1), "epoch": 3}
    for _ in range(random.choice([0, 1, 3])):
        place = random.choice([state, content])
        key = random.choice([*place, "module.layer0.weight", "x"])
        value = odd_value(random) if random.random() < 0.5 else random.choice(tensors)
        place[key] = value
    with warnings.catch_warnings(), suppress(RecursionError):
        warnings.simplefilter("ignore")
        torch.save(content, path, _use_new_zipfile_serialization=random.random() < 0.7)
    data = path.read_bytes()
    if random.random() < 0.6:
        path.write_bytes(damaged_bytes(data, random))
    return path


@reader("checkpoint", write_checkpoint)
def read_checkpoint(path: Path) -> None:
    """Read the tensors of a checkpoint."""
    import torch

    torch.set_num_threads(1)
    from kpviewer.models.opening.state_dict import read_state_dict

    read_state_dict(path)


LABELS_COCO: dict[str, Any] = {
    "info": {"year": 2026},
    "images": [
        {"id": 7, "file_name": "a.png", "width": 40, "height": 30, "source": "s", "frame": 0},
        {"id": "8", "file_name": "images/b.png", "width": 40, "height": 30},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 30, 20.5], "iscrowd": 0,
         "keypoints": [3, 4, 2, 5, 6, 1, 0, 0, 0], "segmentation": [[1, 2, 3, 4, 5, 6]]},
        {"id": 2, "image_id": "8", "category_id": 1, "bbox": ["1", "2", 3, 4], "pseudo": 1},
    ],
    "categories": [
        {"id": 0, "name": "pets", "supercategory": "none"},
        {"id": 3, "name": "cat", "supercategory": "pets", "keypoints": ["l", "r", "n"],
         "skeleton": [[1, 2], [2, 3]]},
        {"id": 1, "name": "dog", "supercategory": "pets"},
    ],
}  # fmt: skip
LABELS_VOC = """\
<?xml version="1.0" encoding="utf-8"?>
<annotation>
  <folder>x</folder><filename>a.png</filename><path>C:\\x\\a.png</path>
  <source><database>Own</database></source>
  <size><width>40</width><height>30</height><depth>3</depth></size>
  <object><name>cat</name><difficult>0</difficult>
    <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>20.5</ymax></bndbox></object>
  <object><name>dog</name><difficult>1</difficult>
    <bndbox><xmin>5</xmin><ymin>6</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>
</annotation>
"""
LABELS_YOLO = """\
0 0.5 0.5 0.5 0.5 0.25 0.5 2 0.75 0.5 1 0 0 0
# by hand
1 0.5 0.5 0.2 0.2
cat 0,5 0,5 0,1 0,1
1.0 0.1 0.2 0.6 0.3 0.5 0.9
"""
LABELS_YAML = """\
path: ../pets  # of another machine
train: ../train/images
val: [images/val, val.txt]
nc: 2
kpt_shape: [3, 3]
names:
  0: "K\\u00e4tzchen"
  1: 'dog''s'
kpt_names:
  0:
    - left
    - right
    - nose
x: &x [a, b]
y: *x
"""
LABELS_CSV = """\
filename,width,height,class,xmin,ymin,xmax,ymax,difficult,eye_x,eye_y,frame,pose
a.png,40,30,cat,1,2,30,20.5,0,5,6,0,left
b.png,40,30,,,,,,,,,1,
"a.png",40,30,"dog, old",10,5,30.5,20,1,,,,
"""
LABELS_POINTS = "file,x,y,split\na.png,10.5,9,train\nb.png,3,4,val\n"
LABELS_OF_IMAGES = "fname,labels,is_valid\na.png,horse person,True\nb.png,car,False\n"
LABELS_CELEBA = """\
2
lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x \
rightmouth_y
a.png  69 109 106 113 77 142 73 152 108 154
b.png  69 110 107 112 81 135 70 151 108 153
"""
BOXES_CELEBA = """\
2
image_id x_1 y_1 width height
a.png    5  4  20  21
b.png    1  2   9  10
"""
CALIBRATION_BIWI = """\
517.679 0 320
0 517.679 240.5
0 0 1

0 0 0 0

0.999947 0.00432361 0.00929419
-0.00446314 0.999877 0.0150443
-0.009228 -0.015085 0.999844

-24.0198 5.8896 -13.2308

40 30
"""
POSE_BIWI = """\
0.980639 0.109899 0.162077
-0.11023 0.993882 -0.00697376
-0.161851 -0.011027 0.986754

43.4019 -30.7038 906.864
"""
LABELS_PTS = """\
version: 1
n_points: 3
{
10.5 12
20 8.25
25 19
}
"""


def _tiny_image() -> bytes:
    if "image" not in _cache:
        import io

        from PIL import Image

        file = io.BytesIO()
        Image.new("RGB", (40, 30)).save(file, "PNG")
        _cache["image"] = file.getvalue()
    image: bytes = _cache["image"]
    return image


def _write_set(folder: Path, files: dict[str, bytes], images: tuple[str, ...]) -> None:
    for name, data in files.items() | {image: _tiny_image() for image in images}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _write_text(text: str, name: str, images: tuple[str, ...] = ("a.png", "b.png")) -> Write:
    """Return a function that writes a damaged text beside intact images."""

    def write(folder: Path, random: Random) -> Path:
        data = damaged_text(text, random)
        if random.random() < 0.1:
            data = data.decode("utf-8", "replace").encode(random.choice(["utf-16", "utf-8-sig"]))
        _write_set(folder, {name: data}, images)
        return folder / name

    return write


def write_coco(folder: Path, random: Random) -> Path:
    """Write a COCO file with one wrong value, or damaged bytes."""
    if random.random() < 0.7:
        data = json_text(damaged_value(LABELS_COCO, random)).encode("utf-8", "surrogatepass")
    else:
        data = damaged_bytes(json.dumps(LABELS_COCO).encode(), random)
    _write_set(folder, {"labels.json": data}, ("a.png", "images/b.png"))
    return folder / "labels.json"


def _write_celeba_wild(folder: Path, random: Random) -> Path:
    """Write CelebA's tables of the images in the wild, one of them damaged."""
    texts = {"list_bbox_celeba.txt": BOXES_CELEBA, "list_landmarks_celeba.txt": LABELS_CELEBA}
    files = {name: text.encode() for name, text in texts.items()}
    wrong = random.choice([*texts])
    files[wrong] = damaged_text(texts[wrong], random)
    _write_set(folder, files, ("img_celeba/a.png", "img_celeba/b.png"))
    return folder / wrong


def _write_biwi(folder: Path, random: Random) -> Path:
    """Write two sequences of BIWI, with a damaged calibration or pose."""
    texts = {
        f"{sequence}/{name}": text
        for sequence in ("01", "02")
        for name, text in (("rgb.cal", CALIBRATION_BIWI), ("frame_00003_pose.txt", POSE_BIWI))
    }
    files = {name: text.encode() for name, text in texts.items()}
    wrong = random.choice(["01/rgb.cal", "01/frame_00003_pose.txt"])
    files[wrong] = damaged_text(texts[wrong], random)
    _write_set(folder, files, ("01/frame_00003_rgb.png",))
    return folder / "rgb.cal"  # its folder is the set


def _write_yolo(labels: bool, images: tuple[str, ...] = ("images/a.png",)) -> Write:
    """Return a function that writes a YOLO set with damaged labels or YAML."""

    def write(folder: Path, random: Random) -> Path:
        texts = {"labels/a.txt": LABELS_YOLO, "data.yaml": LABELS_YAML}
        wrong = "labels/a.txt" if labels else "data.yaml"
        files = {name: text.encode() for name, text in texts.items()}
        files[wrong] = damaged_text(texts[wrong], random)
        _write_set(folder, files, images)
        return folder

    return write


def _reader_of_labels(name: str, form: str, write: Write) -> None:
    def read(path: Path) -> None:
        from kpviewer.annotations.ground_truth import AnnotationGroundTruth
        from kpviewer.annotations.spec import read_annotations, read_usable
        from kpviewer.errors import DatasetError

        spec = form.format(path, folder=path.parent)
        with suppress(DatasetError):
            read_annotations(spec)
        ground_truth = AnnotationGroundTruth(read_usable(spec))
        ground_truth.set_source_files([path.parent / "a.png"])
        ground_truth.for_frame(0, str(path.parent / "a.png"))

    reader(name, write)(read)


_reader_of_labels("coco", "coco:{}", write_coco)
_reader_of_labels("voc", "voc:{folder}", _write_text(LABELS_VOC, "a.xml"))
_reader_of_labels("yolo-labels", "yolo:{}", _write_yolo(labels=True))
_reader_of_labels("yolo-yaml", "yolo:{}", _write_yolo(labels=False))
_reader_of_labels("csv", "csv:{}", _write_text(LABELS_CSV, "boxes.csv"))
_reader_of_labels("points", "points:{}", _write_text(LABELS_POINTS, "points.csv"))
_reader_of_labels(
    "celeba", "celeba:{folder}", _write_text(LABELS_CELEBA, "list_landmarks_align_celeba.txt")
)
_reader_of_labels("celeba-wild", "celeba-wild:{folder}", _write_celeba_wild)
_reader_of_labels("labels", "labels:{}:train", _write_text(LABELS_OF_IMAGES, "labels.csv"))
_reader_of_labels("biwi", "biwi:{folder}:-02", _write_biwi)
_reader_of_labels("pts", "pts:{folder}", _write_text(LABELS_PTS, "a.pts"))


def _scan_records() -> list[dict[str, Any]]:
    """Return the header and two records of a scan, as msgpack decodes them."""
    import msgspec
    import numpy as np

    from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC
    from kpviewer.scanning.columns import ScannedFrame, columns_of
    from kpviewer.scanning.header import ScanHeader
    from kpviewer.scanning.records import ScanChunk, encode_chunk
    from kpviewer.structures import Candidates

    rows, points = 4, len(FACE_SPEC.keypoint_names)
    found = Candidates(
        np.tile(np.array([[1, 2, 30, 40]], np.float32), (rows, 1)),
        np.full((rows, len(FACE_SPEC.class_names)), 0.5, np.float32),
        np.ones((rows, points, 2), np.float32),
        np.ones((rows, points), np.float32),
        (64, 48),
    )
    header = ScanHeader(
        model="face-ssd", model_hash="ab", backend="torch", precision="fp32", device="CPU",
        spec_json=FACE_SPEC.to_json(), source="clip.mp4", fingerprint="file:1:ab", frame_count=4,
        fps=30.0, width=64, height=48, floor=0.05,
    )  # fmt: skip
    parts = [msgspec.msgpack.encode(header)]
    for first in (0, 2):
        frames = [ScannedFrame(first + at, 0.1, found, "a.png") for at in range(2)]
        columns = columns_of(frames, len(FACE_SPEC.class_names), points, 0.05)
        parts.append(encode_chunk(ScanChunk(columns, ("a.png", "b.png"))))
    return [msgspec.msgpack.decode(part) for part in parts]


def _write_scan(folder: Path, records: list[Any]) -> Path:
    import msgspec

    from kpviewer.scanning.records import MAGIC, framed

    payloads = [msgspec.msgpack.encode(record) for record in records]
    (folder / "clip.kpv").write_bytes(MAGIC + b"".join(framed(each) for each in payloads))
    return folder / "clip.kpv"


def write_scan_values(folder: Path, random: Random) -> Path:
    """Write a scan with one wrong value and right checksums."""
    records: list[Any] = _scan_records()
    at = random.randrange(len(records))
    record = records[at]
    arrays = [name for name, value in record.items() if isinstance(value, bytes)]
    if arrays and random.random() < 0.7:
        name = random.choice(arrays)
        records[at] = {**record, name: damaged_bytes(record[name] or b"\0" * 8, random)}
    else:
        records[at] = damaged_value(record, random)
    try:
        return _write_scan(folder, records)
    except (OverflowError, TypeError, RecursionError, UnicodeEncodeError):  # not for msgpack
        records[at] = {**record, random.choice(list(record)): [[-1] * 1000]}
        return _write_scan(folder, records)


def write_scan_bytes(folder: Path, random: Random) -> Path:
    """Write a scan with damaged bytes."""
    path = _write_scan(folder, _scan_records())
    path.write_bytes(damaged_bytes(path.read_bytes(), random))
    return path


@reader("scan-values", write_scan_values)
@reader("scan-bytes", write_scan_bytes)
def read_scan(path: Path) -> None:
    """Read a scan and select in every frame."""
    from kpviewer.api.scans import read_scan as opened

    for _ in opened(path).frames(score=0.1, iou=0.9):
        pass


if __name__ == "__main__":
    main()
