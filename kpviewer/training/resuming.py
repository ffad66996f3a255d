"""What a run continues from: the checkpoint of its folder, with names, settings and data."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kpviewer.annotations.reading.values import listed
from kpviewer.errors import RecordingError, WeightsError
from kpviewer.models.base import Detector
from kpviewer.system.paths import shortened
from kpviewer.training.config import TrainConfig

CHECKPOINT = "last.pt"


def check_folder(out_dir: Path, *, resume: bool) -> None:
    """Check that a run may begin in a folder, or continue there.

    Raises:
        RecordingError: if it holds a run that isn't continued.
        WeightsError: if there is no run to continue.
    """
    has_run = (out_dir / CHECKPOINT).exists()
    if resume and not has_run:
        raise WeightsError(
            f"Nothing to resume: {out_dir / CHECKPOINT} doesn't exist. Leave out --resume."
        )
    if has_run and not resume:
        raise RecordingError(
            f"{out_dir} holds a run. --resume continues it; for a new one give another folder."
        )


def names_of(detector: Detector) -> list[str]:
    """Return the names of classes and keypoints in the order of the network's outputs."""
    return [*detector.spec.class_names, *detector.spec.keypoint_names]


def settings_of(
    config: TrainConfig, data_specs: Sequence[str], val_spec: str | None = None
) -> dict[str, str]:
    """Return the settings and the data of a run as text by key, ``mosaic.share`` within tables."""
    return dict(_texts({**asdict(config), "data": list(data_specs), "val": val_spec}))


def check_names(checkpoint: Mapping[str, Any], names: Sequence[str]) -> None:
    """Check that a run continues with its classes and keypoints, in the order that it learned.

    Raises:
        WeightsError: if it doesn't.
    """
    begun = checkpoint.get("names", names)  # older versions kept none
    if begun != names:
        raise WeightsError(
            f"The run began with {listed(begun)}, and the data now have {listed(names)}. Resume "
            "with the same names in the same order, or give another folder to start anew."
        )


def resumed_notes(checkpoint: Mapping[str, Any], settings: Mapping[str, str]) -> list[str]:
    """Return sentences on settings that differ from those of the checkpoint, and on its end."""
    before = checkpoint.get("settings", settings)  # older versions kept none
    changes = [
        f"{key} = {_short(settings, key)} (was {_short(before, key)})"
        for key in sorted(before.keys() | settings.keys())
        if before.get(key) != settings.get(key)
    ]
    notes = [f"Continues with other settings: {', '.join(changes)}."] if changes else []
    if (step := checkpoint["step"]) >= int(settings["steps"]):
        notes.append(f"All {step} steps were done before. --set steps=N continues to step N.")
    return notes


def _short(settings: Mapping[str, str], key: str) -> str:
    return shortened(settings.get(key, "not set"))


def _texts(table: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values of a table as ``--set`` takes them, each with its key."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            inner = "" if key == "options" and not place else f"{place}{key}."
            yield from _texts(value, inner)
        else:
            yield f"{place}{key}", json.dumps(value, ensure_ascii=False, default=str)
