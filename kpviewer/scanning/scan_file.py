"""Scan files (``.kpv``), read while ``scan_writer`` makes them grow."""

import errno
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kpviewer.errors import ScanError
from kpviewer.recording.disk import disk_call
from kpviewer.scanning.header import MAX_HEADER_BYTES, ScanHeader, decode_header
from kpviewer.scanning.records import (
    FRAMING,
    MAGIC,
    MAX_RECORD_BYTES,
    EndRecord,
    ScanChunk,
    ScanShape,
    decode_record,
    framed,
)
from kpviewer.system.paths import shortened

SUFFIX = ".kpv"
READ_BYTES = 16 * 1024**2
"""Approximate most bytes of records that one call returns."""


@dataclass(frozen=True, slots=True)
class _FileState:
    """Facts of a file that change when it does."""

    identity: tuple[int, int]
    size: int
    modified_ns: int


class ScanReader:
    """Reader of a scan file that may still grow, or not be there yet; for one thread.

    The file is opened for each call, and only if it has changed: polling costs one ``stat``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = shortened(path.name)
        self._shape: ScanShape | None = None
        self._header_data = b""
        self._framing = b""
        """Length and checksum of the record that is read."""
        self._last: tuple[int, bytes] | None = None
        """Place of the last record, and its framing."""
        self._identity: tuple[int, int] | None = None
        self._seen: _FileState | None = None
        self.header: ScanHeader | None = None
        """The header; None until the file has one."""
        self.frames = 0
        """Number of frames returned."""
        self.last_index = -1
        """Index of the last frame returned; -1 before the first."""
        self.is_complete = False
        """Whether the source was scanned to its end, and everything was returned."""
        self.is_damaged = False
        """Whether bytes follow the last whole record that aren't the beginning of another."""
        self.end_bytes = 0
        """End of the last whole record that was read."""

    def read_new(self, max_bytes: int = READ_BYTES) -> list[ScanChunk]:
        """Return the frames that were added since the last call; empty if there are none.

        Raises:
            ScanError: if the file isn't a scan, was replaced by another, or can't be read.
        """
        try:
            with disk_call():
                state = _state_of(self.path)
                if state is None:
                    self._check_same(None)
                    return []
                if state == self._seen:
                    return []
                self._check_same(state)
                with self.path.open("rb") as file:
                    chunks, is_all = self._read(file, max_bytes)
        except OSError as error:
            raise ScanError(
                f"{self._name} can't be read ({error.strerror or error}). Check the disk."
            ) from error
        self._seen = state if is_all else None
        return chunks

    def _check_same(self, state: _FileState | None) -> None:
        if self._identity is None:
            self._identity = state.identity if state is not None else None
        elif state is None or state.identity != self._identity or state.size < self.end_bytes:
            raise ScanError(
                f"{self._name} was replaced or removed while it was read. Open it again."
            )

    def _read(self, file: BinaryIO, max_bytes: int) -> tuple[list[ScanChunk], bool]:
        """Return new frames, and whether the file holds nothing more."""
        if not self._read_header(file):
            return [], True
        assert self._shape is not None
        file.seek(self.end_bytes)
        chunks: list[ScanChunk] = []
        limit = self.end_bytes + max_bytes
        while self.end_bytes < limit:
            payload = self._next_payload(file, MAX_RECORD_BYTES)
            if payload is None:
                return chunks, True
            record = decode_record(payload, self._shape, self._name)
            self._note(record)
            self._last = self.end_bytes, self._framing
            self.end_bytes = file.tell()
            if isinstance(record, ScanChunk):
                chunks.append(record)
        return chunks, False

    def _read_header(self, file: BinaryIO) -> bool:
        """Read the header, or check that it is still the same; return False if it isn't whole."""
        start = file.read(len(MAGIC))
        if not MAGIC.startswith(start):
            raise ScanError(f"{self._name} isn't a scan. Choose a .kpv file.")
        if self.header is not None:
            is_same = file.read(len(self._header_data)) == self._header_data
            if is_same and self._last is not None:
                at, framing = self._last
                file.seek(at)
                is_same = file.read(len(framing)) == framing
            if not is_same:
                raise ScanError(f"{self._name} was replaced while it was read. Open it again.")
            return True
        payload = self._next_payload(file, MAX_HEADER_BYTES)
        if payload is None:
            if self.is_damaged:
                raise ScanError(f"{self._name} has a damaged header. Scan again.")
            return False
        header = decode_header(payload, self._name)
        spec = header.spec
        self._shape = ScanShape(len(spec.class_names), len(spec.keypoint_names), header.floor)
        self.header, self._header_data = header, framed(payload)
        self.end_bytes = file.tell()
        return True

    def _next_payload(self, file: BinaryIO, most_bytes: int) -> bytes | None:
        """Return the payload of the next whole record; None if there is none."""
        self.is_damaged = False
        self._framing = file.read(FRAMING.size)
        if len(self._framing) < FRAMING.size:
            return None
        length, checksum = FRAMING.unpack(self._framing)
        payload = b""
        if 0 < length <= most_bytes:
            payload = file.read(length)
            if len(payload) < length:
                return None
        if not payload or zlib.crc32(payload) != checksum:
            self.is_damaged = True
            return None
        return payload

    def _note(self, record: ScanChunk | EndRecord) -> None:
        """Count a record; refuse one that doesn't follow those before."""
        if isinstance(record, EndRecord):
            if record.frames != self.frames or self.is_complete:
                raise ScanError(f"{self._name} is damaged: it lacks frames. Scan again.")
            self.is_complete = True
            return
        index = record.columns.frame_index
        if self.is_complete or not len(index) or index[0] <= self.last_index:
            raise ScanError(f"{self._name} is damaged: its frames aren't in order. Scan again.")
        self.frames += len(index)
        self.last_index = int(index[-1])


def open_scan(path: Path) -> ScanReader:
    """Return a reader of a file that must be a scan; its header is read.

    Raises:
        ScanError: if it is missing, empty, or not a scan.
    """
    reader = ScanReader(path)
    reader.read_new(0)
    if reader.header is None:
        exists = path.exists()
        what = "holds no whole header" if exists else "is missing"
        raise ScanError(f"{shortened(str(path))} {what}. Scan with: kpviewer process --scan.")
    return reader


def chunks_of(reader: ScanReader) -> Iterator[ScanChunk]:
    """Yield all frames of a reader up to the present end of its file.

    Raises:
        ScanError: as ``ScanReader.read_new`` does.
    """
    while chunks := reader.read_new():
        yield from chunks


def read_to_end(reader: ScanReader) -> ScanReader:
    """Read a file to its present end, which checks it, and return the reader.

    Raises:
        ScanError: as ``ScanReader.read_new`` does.
    """
    for _ in chunks_of(reader):
        pass
    return reader


def _state_of(path: Path) -> _FileState | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):  # a pipe could block for ever
        raise OSError(errno.EINVAL, "it isn't a regular file")
    return _FileState((status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns)
