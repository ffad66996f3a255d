"""Training of one family, which continues where it was interrupted and isn't repeated."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import msgspec

from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError, RecordingError
from kpviewer.history.families import Family
from kpviewer.history.settings import Budget, config_of, fingerprint
from kpviewer.system.paths import make_folder, write_atomically
from kpviewer.training.resuming import CHECKPOINT
from kpviewer.training.run import train

RECORD = "trained.json"


@dataclass(frozen=True, slots=True)
class Trained:
    """A training run of a family, as ``trained.json`` in its folder keeps it."""

    fingerprint: str
    """Hash of the settings (``settings.fingerprint``)."""
    steps: int
    batch: int
    """Number of images in a step."""
    seconds: float = 0.0
    """Time of training so far, s."""
    weights: str = ""
    """Name of the weight file; empty until training has ended."""

    @property
    def images(self) -> int:
        """Number of images seen at the end."""
        return self.steps * self.batch


def train_family(
    family: Family,
    budget: Budget,
    data_specs: Sequence[str],
    folder: Path,
    device: str,
    *,
    begin: Callable[[], object] = lambda: None,
) -> Trained:
    """Train a family in its folder, unless that was done before with the same settings.

    Raises:
        DatasetError: if the folder holds a run with other settings, or the data can't be used.
        WeightsError: if the weights to start from can't be used.
        RecordingError: if the folder can't be written.
    """
    config = config_of(family, budget)
    key = fingerprint(config, [read_annotations(spec) for spec in data_specs])
    make_folder(folder, RecordingError)
    record, has_checkpoint = read_record(folder), (folder / CHECKPOINT).is_file()
    if record is not None and not (has_checkpoint or record.weights):
        record = None  # it failed before its first checkpoint
    if record.fingerprint != key if record else has_checkpoint:
        raise DatasetError(
            f"{folder} was trained with other settings or data. Choose another --out, or delete "
            "that folder to train again."
        )
    if record is not None and record.weights and (folder / record.weights).is_file():
        return record
    record = record or Trained(key, config.steps, config.batch * config.accumulate)
    _write_record(folder, record)
    begin()
    start_s = time.monotonic()
    weights = ""
    try:
        weights = train(config, data_specs, folder, resume=has_checkpoint, device=device).name
    finally:  # an interrupted run has kept its checkpoint
        spent_s = record.seconds + time.monotonic() - start_s
        record = replace(record, seconds=spent_s, weights=weights)
        _write_record(folder, record)
    return record


def read_record(folder: Path) -> Trained | None:
    """Return the record of a folder; None if there is none that can be read."""
    try:
        return msgspec.json.decode((folder / RECORD).read_bytes(), type=Trained)
    except (OSError, msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _write_record(folder: Path, record: Trained) -> None:
    text = json.dumps(asdict(record), indent=2) + "\n"
    try:
        write_atomically(folder / RECORD, text.encode(), mode=0o666)
    except OSError as error:
        raise RecordingError(f"{folder} can't be written: {error}. Is the disk full?") from error
