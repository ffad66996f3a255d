"""Errors that kpviewer raises on purpose, each with the exit code of the command line.

A message names the rule, the value that broke it, and the fix, in one or two lines. The command
line and the window show it unchanged: users never see a traceback.
"""

TORCH_CURE = (
    "torch and torchvision must be builds of one kind. Install both again, in one step: "
    "pip install --force-reinstall torch torchvision"
)
"""Fix for an installation in which the two packages can't be imported."""


class KpviewerError(Exception):
    """Base class of all errors that a user may see."""

    exit_code = 1


class InputError(KpviewerError, ValueError):
    """An argument or option has the wrong type, shape or value."""

    exit_code = 2


class SourceError(KpviewerError):
    """A camera, video, image folder or stream can't be opened or read."""

    exit_code = 3


class FolderBelowError(SourceError):
    """A folder has no image; ``below`` is what it has: the nearest folder with some, or videos."""

    def __init__(self, message: str, below: tuple[str, ...]) -> None:
        super().__init__(message)
        self.below = below


class WeightsError(KpviewerError):
    """A model file is missing, damaged, refused, or doesn't fit its network."""

    exit_code = 4


class DatasetError(KpviewerError):
    """An annotation file or data set is missing, malformed or inconsistent."""

    exit_code = 5


class PipelineError(KpviewerError):
    """The pipeline's state doesn't allow the call, or one of its threads failed."""


class RecordingError(KpviewerError):
    """A recording or result file can't be written."""

    exit_code = 6


class ScanError(KpviewerError):
    """A scan file is missing, damaged, or of another source or model."""
