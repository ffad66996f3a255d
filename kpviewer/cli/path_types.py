"""Types of options that name files and folders to write."""

import os
from pathlib import Path
from typing import Any, TypeAlias

import click

from kpviewer.errors import KpviewerError, RecordingError
from kpviewer.sources.video.formats import VIDEO_SUFFIXES
from kpviewer.system.paths import named_path

Parameter: TypeAlias = click.Parameter | None
Context: TypeAlias = click.Context | None


FILE_SUFFIXES = {
    *(".mp4", ".avi", ".mkv", ".mov", ".webm", ".csv", ".html", ".json", ".jsonl", ".kpv"),
    *(".safetensors", ".pt", ".onnx"),
}
"""Suffixes of names that aren't of a folder to write in."""


class NamedPath(click.Path):
    """File or folder to write to, with ``~`` expanded and a valid name."""

    def __init__(self, **kind: Any) -> None:
        super().__init__(path_type=Path, **kind)

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Any:
        """Return the path."""
        if not value:
            self.fail("A name of a file or folder can't be empty.", param, ctx)
        try:
            path = named_path(os.fspath(value), KpviewerError)
        except KpviewerError as error:
            self.fail(str(error), param, ctx)
        return super().convert(path, param, ctx)


class FilePath(NamedPath):
    """File to write in a folder that exists: hours of work may come before it."""

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Path:
        """Return the path.

        Raises:
            RecordingError: if it can't be a file that is written.
        """
        path: Path = super().convert(value, param, ctx)
        if not path.parent.is_dir():
            raise RecordingError(f"There is no folder {path.parent}. Make it first.")
        if path.is_dir():
            raise RecordingError(f"{path} is a folder. Name a file.")
        return path


class FolderPath(NamedPath):
    """Folder to write in, made if it is missing."""

    def __init__(self) -> None:
        super().__init__(file_okay=False)

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Any:
        """Return the path; a file's name may be meant as that of the result."""
        path = super().convert(value, param, ctx)
        if not path.is_dir() and path.suffix.lower() in FILE_SUFFIXES:
            self.fail(f"{path.name} is the name of a file. Name a folder.", param, ctx)
        return path


class VideoPath(NamedPath):
    """Video to record, without or with ``.mp4``, or a folder; as text, which may be empty."""

    def convert(self, value: Any, param: Parameter, ctx: Context) -> str:
        """Return the path as text."""
        if not value:
            return ""
        path = super().convert(value, param, ctx)
        others = {*VIDEO_SUFFIXES, *FILE_SUFFIXES} - {".mp4"}
        if path.suffix.lower() in others and not path.is_dir():
            self.fail(f"Videos are written as MP4: name {path.stem}.mp4.", param, ctx)
        return str(path)


class JsonPath(FilePath):
    """Like FilePath, but returns text, which may be - for stdout."""

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Any:
        """Return the path as text."""
        return value if value == "-" else str(super().convert(value, param, ctx))


class ScanPath(NamedPath):
    """Scan file to write; empty if allowed to choose its name."""

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Any:
        """Return the path, or the empty text."""
        if not value:
            return value
        path = super().convert(value, param, ctx)
        if path.suffix.lower() != ".kpv":  # it may be a source by mistake
            self.fail(f"A scan's name ends in .kpv, got {path.name}.", param, ctx)
        return path
