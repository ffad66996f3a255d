"""Results of a history as data, and as ``history.json`` (``docs/reference/scores.md``)."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import KpviewerError
from kpviewer.history.families import Family
from kpviewer.history.scores import Scores
from kpviewer.history.settings import Budget
from kpviewer.history.stages import Stages
from kpviewer.history.training import Trained
from kpviewer.models.base import Detector
from kpviewer.structures import Candidates

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class FamilyResult:
    """What is known of one family; it fills as the history proceeds."""

    family: Family
    architecture: str
    failure: str = ""
    """Why there are no further results; empty if nothing failed."""
    trained: Trained | None = None
    parameters: int | None = None
    file_bytes: int | None = None
    """Size of the weight file."""
    memory_bytes: int | None = None
    """Memory of the model and one image (``memory``)."""
    scores: Scores | None = None
    stages: Stages | None = None
    weights: Path | None = None
    """Weight file; None until training has ended."""
    detector: Detector | None = None
    """The trained model; None until training has ended."""
    candidates: list[Candidates] = field(default_factory=list)
    """Candidates of each timed image."""

    def attempt(self, work: Callable[[], T]) -> T | None:
        """Do a part of the work, unless an earlier part failed; if it fails, keep the reason.

        The fault of one family mustn't cost the hours of the others.

        Returns:
            The result of ``work``; None after a failure.
        """
        if self.failure:
            return None
        try:
            return work()
        except KpviewerError as error:
            self.failure = str(error)
        except Exception as error:  # also faults of this program: they are shown in the row
            self.failure = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        _log.debug("The error came from here:", exc_info=True)
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the results of the family."""
        trained, stages = self.trained, self.stages
        return {
            "family": self.family.key,
            "title": self.family.title,
            "year": self.family.year,
            "architecture": self.architecture,
            "failure": self.failure,
            "changes": list(self.family.changes),
            "trained": None
            if trained is None
            else {
                "images": trained.images,
                "batch": trained.batch,
                "seconds": round(trained.seconds, 1),
                "weights": trained.weights,
            },
            "parameters": self.parameters,
            "file_bytes": self.file_bytes,
            "memory_bytes": self.memory_bytes,
            "scores": None if self.scores is None else asdict(self.scores),
            "ms": None if stages is None else {**asdict(stages), "total": stages.total},
        }


@dataclass(frozen=True, slots=True)
class Request:
    """What a history is made of."""

    families: Sequence[str]
    """Keys of ``families.FAMILIES``."""
    data_specs: Sequence[str]
    test_spec: str
    """Name of the test data on the page."""
    test: AnnotationSet
    """Readable test images."""
    budget: Budget
    timed_images: int = 12
    """Number of test images that times are measured on."""
    device: str = "auto"
    command: str = ""
    """Command line, for the page."""


@dataclass(frozen=True, slots=True)
class History:
    """The results of all families, and how they were made."""

    request: Request
    timed: Sequence[AnnotatedImage]
    """Test images that the times are means of."""
    machine: str
    """Device and number of CPU threads."""
    families: Sequence[FamilyResult]

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``history.json``."""
        return {
            "data": list(self.request.data_specs),
            "test": self.request.test_spec,
            "test_images": len(self.request.test),
            "timed_images": len(self.timed),
            "command": self.request.command,
            "machine": self.machine,
            "budget": asdict(self.request.budget),
            "families": [each.to_json() for each in self.families],
        }
