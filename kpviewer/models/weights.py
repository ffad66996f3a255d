"""Model files: safetensors files with the model's description in the header.

Loading never runs code from a file. Names, shapes, dtypes and values are checked against the
network that this package builds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.files.catalogue import SPEC_KEY, check_file, find_weights, read_header
from kpviewer.models.names.tensors import with_current_names
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.dry_run import check_runs, planned
from kpviewer.models.networks.unfilled import unfilled
from kpviewer.models.spec import ModelSpec
from kpviewer.models.tables import UNREADABLE, first_line, shown
from kpviewer.shipped import shipped_weights_dir
from kpviewer.system.paths import write_atomically

_DTYPES = ("F16", "BF16", "F32", "I64")
"""Allowed dtypes, by safetensors' names."""
_RUNNABLE: set[tuple[Callable[[ModelSpec], Detector], ModelSpec]] = set()
"""Networks and descriptions whose dry run, of half a second, succeeded."""


def save_weights(detector: Detector, path: Path, spec: ModelSpec | None = None) -> None:
    """Write a detector's weights, in half precision, with its description in the header.

    Args:
        detector: detector on any device.
        path: path of the file, which is replaced as a whole at the end. Its folder is made.
        spec: description to write instead of the detector's own.

    Raises:
        WeightsError: if the file can't be written.
    """
    tensors = {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in detector.network.state_dict().items()
    }
    try:
        # The library's own writer makes files that only their owner can read.
        content = save(tensors, {SPEC_KEY: (spec or detector.spec).to_json()})
        write_atomically(path, content, mode=0o666)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} can't be written: {error}. Make room there, or give another name."
        ) from error


def load_model(name_or_path: str | Path) -> Detector:
    """Build the detector that a file describes and load its weights, checked.

    Args:
        name_or_path: a shipped name such as "face-ssd", or the path of a .safetensors file.

    Returns:
        The detector, its network in evaluation mode, float32 on the CPU.

    Raises:
        WeightsError: if the file is missing, damaged, or doesn't fit its architecture.
    """
    path = find_weights(name_or_path)
    check_file(path)
    spec = read_header(path)
    if spec.architecture not in ARCHITECTURES:
        raise WeightsError(
            f"{path.name} holds a {shown(spec.architecture)}, which this version doesn't have. "
            "Update kpviewer."
        )
    build = ARCHITECTURES[spec.architecture]
    if path.parent == shipped_weights_dir():  # a dry run of these takes longer than the rest
        detector = unfilled(build, spec)
        _check_shapes(path, detector.network.state_dict())
    else:
        _check_plan(path, spec, build)
        detector = unfilled(build, spec)
    state = read_state(path)
    _check_values(path.name, state)
    detector.network.load_state_dict(state)
    detector.network.eval()
    return detector


def _check_plan(path: Path, spec: ModelSpec, build: Callable[[ModelSpec], Detector]) -> None:
    """Run a network without memory, to see that the file fits it and its description is right."""
    try:
        plan = planned(build, spec)
        _check_shapes(path, plan.network.state_dict())
        if (build, spec) not in _RUNNABLE:
            check_runs(plan)
            _RUNNABLE.add((build, spec))
    except ValueError as error:
        raise WeightsError(
            f"{path.name}: {error}. Was the file written by another program or version?"
        ) from error


def read_state(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a model file by their current names, without comparing to a network.

    Raises:
        WeightsError: if the file isn't a readable .safetensors file.
    """
    check_file(path)
    with _opened(path) as file:
        return with_current_names({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        # By mmap, safetensors 0.8 leaks two Python objects for each tensor of torch.
        with safe_open(str(path), framework="pt", backend="pread") as file:
            yield file
    except (SafetensorError, OSError, *UNREADABLE) as error:
        raise WeightsError(
            f"{path.name} can't be read: {first_line(error)}. Is the file complete?"
        ) from error


def _check_shapes(path: Path, expected: Mapping[str, Tensor]) -> None:
    """Compare names, shapes and dtypes with the network's, before any tensor is read."""
    with _opened(path) as file:
        given = with_current_names({name: file.get_slice(name) for name in file.keys()})  # noqa: SIM118
        shapes = {name: (tuple(one.get_shape()), one.get_dtype()) for name, one in given.items()}
    odd = sorted(set(shapes) ^ set(expected))
    if odd:
        side = "lacks" if odd[0] in expected else "has the unknown"
        raise WeightsError(
            f"{path.name} doesn't fit its architecture: it {side} tensor {shown(odd[0])} "
            f"({len(odd)} differ). Was it trained with another version?"
        )
    for name, (shape, dtype) in shapes.items():
        if shape != tuple(expected[name].shape) or dtype not in _DTYPES:
            raise WeightsError(
                f"{path.name}: tensor {name!r} must have shape {tuple(expected[name].shape)}, got "
                f"{shape} {dtype}. Was it trained with another version?"
            )


def _check_values(name: str, state: Mapping[str, Tensor]) -> None:
    """Refuse tensors with values that aren't finite."""
    for key, value in state.items():
        if not np.isfinite(value.float().numpy()).all():  # torch's takes long
            raise WeightsError(f"{name}: tensor {key!r} has values that aren't numbers.")
