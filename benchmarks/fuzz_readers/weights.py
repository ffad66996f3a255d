"""Weight files: safetensors with a description, and checkpoints of torch."""

import json
import struct
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzz_readers.damage import damaged_bytes, damaged_value, json_text, odd_value
from benchmarks.fuzz_readers.opening import open_run_and_paint
from benchmarks.fuzz_readers.reader import Reader


def _spec_of_small_model() -> dict[str, Any]:
    """Return the description of a network with every possible key."""
    from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC

    spec: dict[str, Any] = json.loads(FACE_SPEC.to_json())
    spec["skeleton"] = [[0, 1], [1, 2], [2, 3], [3, 4]]
    spec["activation_ranges"] = [["backbone.stem.0", -2.5, 2.5]]
    return spec


def _header_with(spec_text: str, path: Path) -> Path:
    """Write a model file with a description as text and the tensors of face-ssd."""
    tensors, payload = _face_tensors()
    header = json.dumps({"__metadata__": {"kpviewer": spec_text}, **tensors}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + payload)
    return path


@cache
def _face_tensors() -> tuple[dict[str, Any], bytes]:
    from safetensors.torch import save

    from kpviewer.models.networks.ssd.face_ssd import build_face_ssd

    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in build_face_ssd().network.state_dict().items()
    }
    data = save({name: value.contiguous() for name, value in state.items()})
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


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


def read_checkpoint(path: Path) -> None:
    """Read the tensors of a checkpoint."""
    import torch

    torch.set_num_threads(1)
    from kpviewer.models.opening.state_dict import read_state_dict

    read_state_dict(path)


READERS = {
    "spec": Reader(write_spec, open_run_and_paint),
    "weights": Reader(write_weights, open_run_and_paint),
    "checkpoint": Reader(write_checkpoint, read_checkpoint),
}
