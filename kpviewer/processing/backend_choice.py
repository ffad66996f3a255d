"""One backend and precision for all sources of a folder of results.

``auto`` measures, so each process and machine could choose differently, and results would differ in
their last digits. Therefore the run chooses once for its workers, and the first shard for the
others, through a file in the folder.
"""

import hashlib
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from kpviewer.errors import PipelineError, RecordingError
from kpviewer.models.libraries.inference import BACKENDS
from kpviewer.pipeline.protocols import InferenceEngine, runs_on
from kpviewer.processing.manifest import Record
from kpviewer.processing.options import ProcessOptions
from kpviewer.recording.reasons import reason_of
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.runtime.runners import PRECISIONS
from kpviewer.system.paths import write_atomically

_AUTO = "auto"
CPU = "CPU"


class ChosenBackend(NamedTuple):
    """Backend, precision and device on which all sources are processed."""

    choice: BackendChoice
    """Backend and precision; both empty for an engine that has none."""
    device: str
    """Name of the device: "CPU", or that of the GPU."""

    @property
    def kind(self) -> str:
        """Kind of the device: cpu or gpu. Two GPUs of one kind needn't agree in the last digit."""
        return "cpu" if self.device in (CPU, "") else "gpu"

    def is_of(self, engine: InferenceEngine) -> bool:
        """Return whether an engine runs on it already."""
        if not self.choice.backend:
            return True
        on = runs_on(engine)
        has_kind = ChosenBackend(self.choice, on.device).kind == self.kind
        return has_kind and on[1:] == self.choice[:2]

    def used_in(self, options: ProcessOptions) -> ProcessOptions:
        """Return options that name it in place of auto."""
        if not self.choice.backend:
            return options
        device = self.kind if self.kind == "cpu" else options.device
        backend, precision, _ = self.choice
        return replace(options, backend=backend, precision=precision, device=device)


def measured(engine: InferenceEngine) -> ChosenBackend:
    """Return the choice of an engine where options are auto; it measures unless it did before."""
    if _AUTO in runs_on(engine):
        engine.infer(probe_image())
    device, backend, precision = runs_on(engine)
    is_named = backend in BACKENDS and precision in PRECISIONS  # two stages may have two
    choice = BackendChoice(backend, precision) if is_named else BackendChoice("", "")
    return ChosenBackend(choice, device or CPU)


def recorded(
    records: Iterable[Record], options: ProcessOptions, model: str | None, device: str
) -> ChosenBackend | None:
    """Return the choice with which earlier runs used the same model; None if there is none.

    A choice on a GPU is none for a run on a CPU. One on a CPU is, unless a GPU was asked for.

    Args:
        records: lines of the manifest, the latest last.
        options: options of this run; only those that are auto are chosen.
        model: content of the model.
        device: name of the device that this run has.
    """
    found = None
    for record in records:
        choice = BackendChoice.parse(record.backend)
        if choice is None or model is None or record.model != model:
            continue
        before, here = ChosenBackend(choice, record.device), ChosenBackend(choice, device)
        pairs = ((options.backend, choice.backend), (options.precision, choice.precision))
        if not all(asked in (_AUTO, chosen) for asked, chosen in pairs):
            continue
        if before.kind == here.kind:
            found = here
        elif before.kind == "cpu" and options.device == _AUTO:
            found = before
    return found


def agreed(
    folder: Path, options: ProcessOptions, model: str | None, own: ChosenBackend
) -> ChosenBackend:
    """Return the choice of the first of several shards, which may be this one.

    Raises:
        PipelineError: if this machine chose another device than the first one.
        RecordingError: if the folder can't be written.
    """
    asked = f"{model} {options.backend} {options.precision} {options.device}"
    name = hashlib.blake2b(asked.encode(), digest_size=6).hexdigest()
    path = folder / f"backend_{name}.txt"
    text = f"{own.choice} {own.kind}\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{path.name}.{socket.gethostname()}.{os.getpid()}"
        write_atomically(beside, text.encode())
        with suppress(FileExistsError):
            os.link(beside, path)  # unlike a rename, it fails if another shard was first
        beside.unlink()
        first, _, kind = path.read_text("utf-8").strip().partition(" ")
    except OSError as error:
        raise RecordingError(f"{path} can't be written: {reason_of(error)}") from error
    choice = BackendChoice.parse(first)
    if kind != own.kind:
        raise PipelineError(
            f"The first shard runs on a {kind}, this one on a {own.kind}: results would differ. "
            "Name the same --device, --backend and --precision in each, or another --out."
        )
    return own if choice is None else ChosenBackend(choice, own.device)
