"""Writing of scan files, as frames are scanned.

A writer only appends whole records. What it has written survives the end of its process, however
that comes; a power cut may cost what the system hasn't written to the disk yet. Either way the file
ends in a torn record, which readers leave out and the next writer overwrites.
"""

import os
from pathlib import Path

import msgspec

from kpviewer.errors import RecordingError, ScanError
from kpviewer.recording.disk import disk_call
from kpviewer.recording.parts import identity_of
from kpviewer.recording.reasons import reason_of
from kpviewer.scanning.header import ScanHeader
from kpviewer.scanning.records import MAGIC, EndRecord, ScanChunk, encode_chunk, framed
from kpviewer.scanning.scan_file import ScanReader
from kpviewer.system.locks import is_held, lock
from kpviewer.system.paths import shortened


class ScanWriter:
    """Writer that begins a scan file, or continues one after its last whole record.

    The file is locked while it is open. A second writer is refused.

    Args:
        path: path of the file; its folder is made.
        header: header of a new file; None if ``after`` has read one.
        after: reader that has read the file to its end; None if there must be no file.

    Raises:
        ScanError: if the file is being written by another program, or was changed meanwhile.
        RecordingError: if it can't be written.
    """

    def __init__(
        self, path: Path, header: ScanHeader | None = None, after: ScanReader | None = None
    ) -> None:
        self._path = path
        self._name = shortened(path.name)
        self._end_bytes = after.end_bytes if after is not None else 0
        self.frames = after.frames if after is not None else 0
        """Number of frames in the file."""
        self._descriptor = self._opened(after)
        self._identity = identity_of(path)
        if header is not None:
            self._append(MAGIC + framed(msgspec.msgpack.encode(header)))

    def _opened(self, after: ScanReader | None) -> int:
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | (0 if after is not None else os.O_CREAT)
        descriptor = -1
        try:
            with disk_call():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                is_free = not (self._path.exists() and is_held(self._path))
                descriptor = os.open(self._path, flags, 0o644)
                if not (is_free and lock(descriptor)):
                    raise ScanError(
                        f"{self._name} is being written by another kpviewer. Wait for it."
                    )
                if os.fstat(descriptor).st_size > 0 if after is None else _has_changed(after):
                    raise ScanError(f"{self._name} was changed meanwhile. Try again.")
                os.ftruncate(descriptor, self._end_bytes)
        except (OSError, ScanError) as error:
            if descriptor >= 0:
                os.close(descriptor)
            if isinstance(error, ScanError):
                raise
            raise RecordingError(f"{self._path} can't be written: {reason_of(error)}") from error
        return descriptor

    def append(self, chunk: ScanChunk) -> None:
        """Write frames, all of which follow those before.

        Raises:
            ScanError: if a value is out of its range, such as a score above 1.
            RecordingError: if the file can't be written, or is gone; it keeps what was written.
        """
        self._append(framed(encode_chunk(chunk)))
        self.frames += len(chunk.columns)

    def finish(self) -> None:
        """Note that the source ended: the scan is complete.

        Raises:
            RecordingError: as ``append`` does.
        """
        self._append(framed(msgspec.msgpack.encode(EndRecord(self.frames))))

    def close(self) -> None:
        """Close the file; idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with disk_call():
                os.close(descriptor)

    def _append(self, data: bytes) -> None:
        """Write all bytes at the end; what a failure leaves there is no whole record."""
        if self._identity is None or identity_of(self._path) != self._identity:
            raise RecordingError(f"{self._name} was removed or moved while it was written.")
        try:
            with disk_call():
                os.lseek(self._descriptor, self._end_bytes, os.SEEK_SET)
                left = memoryview(data)
                while left:
                    left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            raise RecordingError(f"{self._name} is incomplete: {reason_of(error)}") from error
        self._end_bytes += len(data)


def _has_changed(reader: ScanReader) -> bool:
    """Return whether a file that was read to its end has more records now.

    Raises:
        ScanError: if it was replaced.
    """
    before = reader.end_bytes
    reader.read_new()
    return reader.end_bytes != before
