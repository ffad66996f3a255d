"""Report of an evaluation: tables, figures and images, the same for each kind of model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.errors import RecordingError
from kpviewer.evaluation.page import Page, PageFigure, write_page
from kpviewer.evaluation.text import Table
from kpviewer.evaluation.timing import FrameTime
from kpviewer.models.base import Detector
from kpviewer.models.spec import ModelSpec
from kpviewer.pipeline.protocols import InferenceEngine, runs_on
from kpviewer.structures import ImageArray
from kpviewer.system.cpu_threads import cpu_threads

WORST = 24
"""Number of images that a report shows, at most."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The model, the data, and what ran them."""

    spec: ModelSpec
    data_name: str
    device: str
    backend: str
    precision: str
    threads: int
    """Number of CPU threads of the model."""

    @classmethod
    def of(cls, engine: InferenceEngine, data_name: str) -> Setting:
        """Return that of an engine, whose backend may be known only after its first image."""
        return cls(engine.spec, data_name, *runs_on(engine), cpu_threads())

    def to_json(self) -> dict[str, Any]:
        """Return the first keys of the report's JSON."""
        return {
            "model": self.spec.name,
            "data": self.data_name,
            "threads": self.threads,
            "device": self.device,
            "engine": self.backend,  # its name in older files
            "backend": self.backend,
            "precision": self.precision,
            "input_hw": list(self.spec.input_hw),
        }


class Figure(NamedTuple):
    """A diagram."""

    caption: str
    png: bytes


@dataclass(frozen=True, slots=True)
class ScoredImage:
    """An image of the set with the model's predictions."""

    image: AnnotatedImage
    badness: float
    """Sort key; 0 if nothing is wrong."""
    caption: str
    """Description of the errors."""
    draw: Callable[[], ImageArray | None]
    """Function that draws predictions and ground truth, (H, W, 3) uint8 BGR; it returns None if the
    file can't be read.

    Call it on the main thread, and only if ``missing_renderer`` returns None.
    """


class Report(ABC):
    """Scores of one model on one set."""

    unit: ClassVar[str] = "frame"
    """Unit of the time: the model runs once for each."""
    worst_note: str = "Thin lines are the ground truth."
    """Legend of the images."""

    def __init__(self, setting: Setting, notes: Sequence[str], time: FrameTime | None) -> None:
        self.setting, self.notes, self.time = setting, tuple(notes), time

    @abstractmethod
    def tables(self) -> list[Table]:
        """Return the scores as tables; the most important comes first."""

    @abstractmethod
    def scores_json(self) -> dict[str, Any]:
        """Return the scores of this kind of model as JSON values."""

    @abstractmethod
    def summary(self) -> dict[str, float]:
        """Return the scores that rank checkpoints: higher is better, the first decides."""

    @abstractmethod
    def figures(self) -> list[Figure]:
        """Draw diagrams of the scores."""

    @abstractmethod
    def images(self) -> Iterator[ScoredImage]:
        """Yield the images in the order of the set."""

    def files(self) -> Mapping[str, bytes]:
        """Return the other files of the report, by name."""
        return {}

    def tune(self, detector: Detector) -> Detector:
        """Set the thresholds of the detector that are best on these data; return the detector."""
        return detector

    def worst(self) -> list[ScoredImage]:
        """Return the images with something wrong, worst first, at most ``WORST``."""
        wrong = [one for one in self.images() if one.badness > 0]
        return sorted(wrong, key=lambda one: -one.badness)[:WORST]

    def to_json(self) -> dict[str, Any]:
        """Return setting and scores as JSON values: keys are added, never renamed or removed."""
        return {
            **self.setting.to_json(),
            f"ms_per_{self.unit}": None if self.time is None else asdict(self.time),
            **self.scores_json(),
            "notes": list(self.notes),
        }

    def to_text(self) -> str:
        """Return the tables and the time as text."""
        return "\n\n".join([*(table.to_text() for table in self.tables()), self._run_text()])

    def save(self, folder: str | Path) -> Path:
        """Write ``FOLDER/report.html`` and ``files``; make the folder if it doesn't exist.

        Main thread only.

        Raises:
            RecordingError: if they can't be written.
        """
        folder, can_draw = Path(folder), missing_renderer() is None
        worst = [
            PageFigure.of_image(
                ", ".join(filter(None, (one.image.path.name, one.caption))),
                one.draw() if can_draw else None,
            )
            for one in self.worst()
        ]
        page = Page(
            f"{self.setting.spec.name} on {self.setting.data_name}",
            f"{self._run_text()}.",
            self.tables(),
            [PageFigure.of_png(*figure) for figure in self.figures()],
            worst,
            self.worst_note,
            tuple(note.removesuffix(".") for note in self.notes),
        )
        try:
            path = write_page(folder, page)
            for name, content in self.files().items():
                (folder / name).write_bytes(content)
        except OSError as error:
            raise RecordingError(f"The report can't be written to {folder}: {error}.") from error
        return path

    def _run_text(self) -> str:
        """Return the time, and what ran the model."""
        setting, time = self.setting, self.time
        ran_on = f"{setting.device}, {setting.backend} {setting.precision}"
        if time is None:
            return f"On {ran_on}"
        article = "an" if self.unit[0] in "aeiou" else "a"
        return (
            f"{time.p50:.1f} ms {article} {self.unit} "
            f"(mean {time.mean:.1f}, 95 % under {time.p95:.1f}) on {ran_on}"
        )


def missing_renderer() -> str | None:
    """Return why images can't be drawn on this machine; None where they can."""
    try:
        import kpviewer.evaluation.drawing  # noqa: F401, PLC0415 - Qt may be missing
    except ImportError as error:
        return str(error)
    return None
