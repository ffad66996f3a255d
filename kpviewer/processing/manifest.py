"""Manifest of a folder of results: a JSON line for each source that was processed.

``manifest.jsonl`` is that of a run; each shard has its own, such as ``manifest_3-of-8.jsonl``, as
machines that share a folder can't append to one file. Reading merges them. A line is written at
once, after the files of its source are complete, so a killed run loses no line.
"""

import errno
import heapq
import json
import math
import os
import re
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from kpviewer.errors import RecordingError
from kpviewer.recording.disk import disk_call
from kpviewer.recording.reasons import reason_of

_NAME = re.compile(r"manifest(_\d{1,9}-of-\d{1,9})?\.jsonl")
_MAX_LINE_BYTES = 1024 * 1024

_Text: TypeAlias = Annotated[str, Meta(max_length=32_768)]
_Hash: TypeAlias = Annotated[str, Meta(max_length=200)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
_Stem: TypeAlias = Annotated[str, Meta(max_length=255, pattern=r"^[^/\\\0]*$")]
_FileName: TypeAlias = Annotated[str, Meta(max_length=255, pattern=r"^[^/\\\0.][^/\\\0]*$")]


class Record(Struct, frozen=True, kw_only=True):
    """One line: a source, its outcome, and what its results depend on."""

    source: _Text
    """Source as the user named it; a file with its whole path."""
    name: _Stem
    """Stem of its files."""
    status: Literal["ok", "failed"]
    why: _Text | None = None
    """Reason of a failure; None without one."""
    warning: _Text | None = None
    """Damage of the source, such as an early end; None if none was found."""
    seconds: Annotated[float, Meta(ge=0)] = 0.0
    """Duration of the processing, in s."""
    frames: _Count = 0
    files: dict[_FileName, _Count] = {}
    """Bytes of each file or folder, by name; of a failed source those that it left."""
    fingerprint: _Hash | None = None
    """Content of the source; None for live sources."""
    model: _Hash | None = None
    settings: _Hash = ""
    """Options on which the files depend."""
    backend: _Text = ""
    """Backend and precision that ran the model, such as "openvino:fp32"."""
    device: _Text = ""
    """Name of the device: "CPU", or that of the GPU."""
    ended: _Text = ""
    """Local time of the end, ISO 8601."""


class Manifest:
    """The lines of all manifests of a folder, and the file to which this run appends.

    Args:
        folder: folder of the results.
        shard: number of this run and of all, as in "3-of-8"; None without shards.
    """

    def __init__(self, folder: Path, shard: str | None = None) -> None:
        self.path = folder / (f"manifest_{shard}.jsonl" if shard else "manifest.jsonl")
        self.notes: list[str] = []
        """Sentences for the user on lines that can't be read."""
        self._by_source: dict[str, Record] = {}
        self._by_name: dict[str, Record] = {}
        self._by_work: dict[tuple[str, str | None, str], Record] = {}
        """By source, model and settings: a folder may have the results of several commands."""
        self._owners: dict[str, Record] = {}
        """Last record of each file."""
        self._end = 0
        """Bytes read of the file to which this run appends."""
        for record in heapq.merge(*map(self._read, _manifests(folder)), key=_ended):
            self._add(record)  # those of each file in its order

    def records_of(
        self, source: str, name: str, model: str | None = None, settings: str = ""
    ) -> list[Record]:
        """Return the last record of a source with a model and settings, its last, and a name's."""
        work = self._by_work.get((source, model, settings))
        found = [work, self._by_source.get(source), self._by_name.get(name)]
        return list({id(record): record for record in found if record is not None}.values())

    def owner_of(self, file: str) -> Record:
        """Return the last record that has a file, by the name of a file of any record."""
        return self._owners[file]

    @property
    def records(self) -> list[Record]:
        """The last record of each source, the latest last."""
        return list(self._by_source.values())

    def refresh(self) -> None:
        """Read the lines that other runs have appended to this run's file meanwhile.

        Raises:
            RecordingError: if it can't be read.
        """
        if self.path.exists():
            for record in self._read(self.path):
                self._add(record)

    def append(self, record: Record) -> None:
        """Append a line with one call; others may append at the same time.

        Raises:
            RecordingError: if it can't be written.
        """
        line = _encoded(record) + b"\n"
        flags = os.O_APPEND | os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0)
        try:
            with disk_call():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(self.path, flags, 0o644)
                try:
                    written = os.write(descriptor, _line_break(descriptor) + line)
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except OSError as error:
            raise RecordingError(
                f"{self.path} can't be written: {reason_of(error)} Run the command again: "
                "finished sources are skipped."
            ) from error
        if written < len(line):
            raise RecordingError(f"{self.path} is incomplete: the disk is full. Free some space.")
        self._add(record)

    def _read(self, path: Path) -> list[Record]:
        records, damaged, rest = [], 0, 0
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise OSError(errno.EINVAL, "it isn't a regular file.")
            with path.open("rb") as file:
                if path == self.path:
                    file.seek(self._end)
                for line in _lines(file):
                    try:
                        records.append(_decoded(line))
                    except (ValueError, RecursionError):
                        is_whole = line.endswith(b"\n") or len(line) == _MAX_LINE_BYTES
                        damaged += is_whole or not self._end
                        if not is_whole:  # another run may be writing it
                            rest = len(line)
                            break
                if path == self.path:
                    self._end = file.tell() - rest
        except OSError as error:
            raise RecordingError(f"{path} can't be read: {reason_of(error)}") from error
        if damaged:
            self.notes.append(
                f"{path.name}: {damaged} lines can't be read; their sources are processed again."
            )
        return records

    def _add(self, record: Record) -> None:
        self._by_source.pop(record.source, None)  # the latest is the last
        self._by_source[record.source] = record
        self._by_work[record.source, record.model, record.settings] = record
        if record.name:
            self._by_name[record.name] = record
        self._owners.update(dict.fromkeys(record.files, record))


def _ended(record: Record) -> float:
    """Return the time of the end, in s; that of an unreadable one is before all."""
    try:
        return datetime.fromisoformat(record.ended).timestamp()
    except (ValueError, OverflowError, OSError):
        return -math.inf


def holds_manifest(folder: Path) -> bool:
    """Return whether a folder has a manifest, of any shard."""
    return bool(_manifests(folder))


def _manifests(folder: Path) -> list[Path]:
    found = sorted(folder.glob("manifest*.jsonl")) if folder.is_dir() else []
    return [path for path in found if is_manifest(path.name)]


def is_manifest(name: str) -> bool:
    """Return whether a file of results is named as a manifest."""
    return _NAME.fullmatch(name) is not None


def _encoded(record: Record) -> bytes:
    """Return a line; bytes of file names that aren't UTF-8 are escaped surrogates, as in Python."""
    try:
        return msgspec.json.encode(record)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(record)).encode()


def _decoded(line: bytes) -> Record:
    """Return the record of a line.

    Raises:
        ValueError: if it isn't one.
        RecursionError: if it is nested too deep.
    """
    try:
        return msgspec.json.decode(line, type=Record)
    except msgspec.DecodeError:  # also for surrogates
        return msgspec.convert(json.loads(line), Record)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines that aren't empty; one that is too long in pieces, which are damaged."""
    while line := file.readline(_MAX_LINE_BYTES):
        if line.strip():
            yield line


def _line_break(descriptor: int) -> bytes:
    """Return the prefix of a new line: a break if the last line has none, as after a kill."""
    size = os.fstat(descriptor).st_size
    if not size:
        return b""
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return b"" if os.read(descriptor, 1) == b"\n" else b"\n"
