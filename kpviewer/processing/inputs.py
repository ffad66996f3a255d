"""Sources of a run: files, folders of videos, patterns and lists. Nothing is left out silently."""

import glob
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kpviewer.annotations.problems import left_out
from kpviewer.errors import SourceError
from kpviewer.image_files import is_image
from kpviewer.sources.images.lists import NOT_A_FILE, matching
from kpviewer.sources.images.source import natural_order
from kpviewer.sources.naming import path_of
from kpviewer.sources.video.formats import VIDEO_SUFFIXES

MAX_SOURCES = 5_000_000
_MAX_LINE_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Inputs:
    """Sources in the order in which they are processed."""

    sources: tuple[str, ...]
    """Each as for ``make_source``."""
    notes: tuple[str, ...]
    """Sentences for the user on files and lines that are left out."""
    folders: tuple[Path, ...]
    """Folders of the videos that were found, not named."""


def read_inputs(named: Iterable[str], list_file: str | None = None) -> Inputs:
    """Return the sources that a user named.

    A folder with videos stands for each of them, and for its images together; a folder of images
    alone is one source, as everywhere. The same holds for a pattern such as ``clips/*.mp4``.

    Args:
        named: sources, folders and patterns.
        list_file: file with one of them a line, or JSON lines with ``source`` such as a manifest;
            ``-`` is stdin. Its relative paths begin at its folder.

    Raises:
        SourceError: if the list or a folder can't be read, or there is no source.
    """
    sources: list[str] = []
    notes: list[str] = []
    folders: list[Path] = []
    listed = list(_listed(list_file)) if list_file is not None else []
    for text in (*named, *listed):
        path = path_of(text)
        try:
            videos = _videos_of(path, notes) if path is not None else []
        except OSError as error:
            reason = error.strerror or error
            raise SourceError(f"{text} can't be read ({reason}). Check its permissions.") from None
        folders += [Path(video).parent for video in videos if Path(video) != path]
        sources += videos or [text]
    unique = _unique(sources)
    twice = len(sources) - len(unique)
    if twice:
        named = "source is" if twice == 1 else "sources are"
        notes.append(f"{twice} {named} named twice, and processed once.")
    if not unique:
        raise SourceError(f"{list_file} has no source. Write one a line.")
    return Inputs(tuple(unique), tuple(notes), tuple(dict.fromkeys(folders)))


def _unique(sources: list[str]) -> list[str]:
    """Return sources without those that name a file once more, in another way too."""
    found: dict[str, str] = {}
    for source in sources:
        path = path_of(source)
        found.setdefault(source if path is None else os.path.abspath(path), source)
    return list(found.values())


def _videos_of(path: Path, notes: list[str]) -> list[str]:
    """Return the sources that a folder or a pattern stands for; empty if it is one source."""
    if path.is_dir():
        files = list(path.iterdir())
    elif not path.exists() and glob.has_magic(str(path)):
        files = matching(path)
    else:
        return []
    ordered = natural_order(files)
    videos = [each for each in ordered if _is_video(each)]
    if not videos:
        return []
    images = [each for each in ordered if _is_shown(each) and is_image(each)]
    taken = {*videos, *images}
    others = [each for each in ordered if each not in taken]
    folders = [each for each in others if each.is_dir()]
    pipes = [each for each in others if not (each.is_dir() or each.is_file())]
    rest = [each for each in others if each.is_file()]
    hidden = [each for each in rest if not _is_shown(each)]
    unknown = [each for each in rest if _is_shown(each)]
    for found, unit, why in (
        (pipes, "files", NOT_A_FILE),
        (unknown, "files", "neither videos nor images"),
        (hidden, "files", "their names start with a dot"),
        (folders, "folders", "a folder's own folders aren't searched: name them, or use --list"),
    ):
        if found:
            total = len(folders) if found is folders else len(files) - len(folders)
            notes.append(f"{path}: {left_out(len(found), total, unit, why, found[0].name)}")
    return [*map(str, videos), *([str(path)] if images else [])]


def _is_shown(path: Path) -> bool:
    return not path.name.startswith(".")


def _is_video(path: Path) -> bool:
    is_named = path.suffix.lower() in VIDEO_SUFFIXES and not is_image(path)
    return is_named and _is_shown(path) and path.is_file()


def _listed(name: str) -> Iterator[str]:
    """Yield the sources of a list."""
    if name == "-":
        yield from _sources_in(sys.stdin.buffer, "stdin", Path())
        return
    path = Path(name)
    try:
        with path.open("rb") as file:
            yield from _sources_in(file, path.name, path.parent)
    except OSError as error:
        reason = error.strerror or error
        raise SourceError(f"The list {name} can't be read ({reason}). Check its name.") from None


def _sources_in(file: BinaryIO, name: str, folder: Path) -> Iterator[str]:
    number = 0
    while line := file.readline(_MAX_LINE_BYTES):
        number += 1
        if number > MAX_SOURCES or (len(line) == _MAX_LINE_BYTES and not line.endswith(b"\n")):
            limit = f"at most {MAX_SOURCES} lines of {_MAX_LINE_BYTES} bytes"
            raise SourceError(f"{name} must have {limit}, got more at line {number}.")
        text = os.fsdecode(line).strip().removeprefix("\ufeff")
        if text.startswith("#"):
            continue
        if text.startswith("{"):
            text = _source_of(text, name, number)
        if "\0" in text:
            raise SourceError(f"{name}, line {number}, has a null byte. Save the list as UTF-8.")
        if text:
            path = path_of(text)
            yield text if path is None else str(folder / path)


def _source_of(line: str, name: str, number: int) -> str:
    try:
        source: Any = json.loads(line)["source"]
        os.fsencode(source)  # a lone surrogate is in no file's name
    except (ValueError, KeyError, TypeError, RecursionError):
        source = None
    if not isinstance(source, str):
        raise SourceError(f'{name}, line {number}, must be JSON with "source", got {line[:80]}')
    return source.strip()
