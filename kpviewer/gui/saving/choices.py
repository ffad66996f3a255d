"""Contents of a recording, how they are remembered, and the default folder. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from kpviewer.config.settings import Plain, Table
from kpviewer.recording.codecs import CODECS, Quality
from kpviewer.recording.label_formats import LABEL_FORMATS
from kpviewer.recording.results import RESULT_FORMATS
from kpviewer.recording.segment import RAW, VIDEO

VIDEOS: dict[str, tuple[str, ...]] = {
    "annotated": (VIDEO,),
    "raw": (RAW,),
    "both": (VIDEO, RAW),
}
RESULTS = (*RESULT_FORMATS, *LABEL_FORMATS)
STREAMS = ("each", "grid")
"""What is recorded of several streams: each in files of its own, or the grid as one video."""
EVERY = (1, 5, 30)
"""Choices of N: every Nth frame becomes an image of a data set."""
PREROLLS_S = (0, 5, 10, 30)


@dataclass(frozen=True, slots=True)
class RecordingChoices:
    """Choices of the user for recordings."""

    videos: str = "annotated"
    """Key of VIDEOS."""
    results: frozenset[str] = frozenset()
    """Result formats, items of RESULTS."""
    codec: str | None = None
    """Key of CODECS; None chooses automatically."""
    quality: Quality = Quality.GOOD
    preroll_s: int = 0
    """Length of the pre-roll, in seconds."""
    every: int = 5
    """Every Nth frame becomes an image of a data set."""
    sound: bool = True
    """Whether the sound of a video file is copied."""
    streams: str = "each"
    """Item of STREAMS; only a grid uses it."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Outputs of the recording: keys of ``recording.segment.ENDINGS``."""
        return (*VIDEOS[self.videos], *(kind for kind in RESULTS if kind in self.results))

    def to_table(self) -> dict[str, Plain]:
        """Return the differences from the defaults; the key of JSON lines is ``with_results``."""
        usual = RecordingChoices()
        table: dict[str, Plain] = {}
        if self.results & {"jsonl"}:
            table["with_results"] = True
        others = [kind for kind in RESULTS if kind in self.results and kind != "jsonl"]
        if others:
            table["results"] = " ".join(others)
        for name in ("videos", "codec", "quality", "preroll_s", "every", "sound", "streams"):
            value = getattr(self, name)
            if value != getattr(usual, name):
                table[name] = str(value) if isinstance(value, Quality) else value
        return table

    @classmethod
    def from_table(cls, table: Table) -> RecordingChoices:
        """Build choices from a remembered table; invalid values are ignored."""
        changes: dict[str, Any] = {}
        words = str(table.get("results", "")).split()
        found = {kind for kind in RESULTS if kind in words}
        if table.get("with_results") is True:
            found.add("jsonl")
        known: dict[str, tuple[object, ...]] = {
            "videos": tuple(VIDEOS),
            "codec": tuple(CODECS),
            "quality": tuple(Quality),
            "preroll_s": PREROLLS_S,
            "every": EVERY,
            "streams": STREAMS,
        }
        for name, values in known.items():
            if not isinstance(table.get(name), bool) and table.get(name) in values:
                changes[name] = table[name]
        if isinstance(table.get("sound"), bool):
            changes["sound"] = table["sound"]
        if "quality" in changes:
            changes["quality"] = Quality(changes["quality"])
        return replace(cls(), results=frozenset(found), **changes)


def recordings_folder() -> Path:
    """Return the folder ``kpviewer`` in the user's folder of videos."""
    return Path(platformdirs.user_videos_dir()) / "kpviewer"
