"""Records of a scan file: framed by length and checksum, with arrays as raw little-endian bytes.

::

    8 bytes   MAGIC
    records   uint32 length, uint32 CRC-32 of the payload, payload; little endian

The first payload is the header, the others are a ``FramesRecord`` or an ``EndRecord``; all are
msgpack. Raw bytes need no library to read, can't be a compression bomb, and can't hold code.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from kpviewer.errors import ScanError
from kpviewer.models.tables import UNREADABLE, first_line
from kpviewer.scanning.columns import CandidateColumns
from kpviewer.scanning.header import MAX_FRAMES
from kpviewer.scanning.outlines import Outlines

MAGIC = b"\x89KPV\r\n\x1a\n"
"""First bytes of a scan file; a transfer as text would change them."""
MAX_RECORD_BYTES = 24 * 1024**2
"""Reading a record takes at most eight times as much memory."""
FRAMING = struct.Struct("<II")
"""Length and checksum (``zlib.crc32``) of a payload, before it."""


class FramesRecord(Struct, frozen=True, tag="frames", omit_defaults=True):
    """Candidates of consecutive frames: ``CandidateColumns`` with smaller types."""

    frame_index: bytes
    """(F,) int64."""
    position_s: bytes
    """(F,) float64."""
    size_wh: bytes
    """(F, 2) int32."""
    counts: bytes
    """(F,) int32 number of candidates of each frame."""
    xyxy: bytes
    """(M, 4) float32."""
    keypoints_xy: bytes
    """(M, K, 2) float32."""
    entry_counts: bytes
    """(M,) uint16 number of classes of each candidate; empty: one each."""
    entry_classes: bytes
    """(E,) uint16; empty: all 0."""
    entry_scores: bytes
    """(E,) float32."""
    keypoint_scores: bytes | None = None
    """(M, K) float32."""
    overlaps: bytes | None = None
    """(M,) float32."""
    outline_corners: int = 0
    """V, the number of corners that an outline may have; 0: there are none."""
    outline_counts: bytes = b""
    """(M,) uint8 number of corners of each candidate; 0: its box."""
    outlines_xy: bytes = b""
    """(S, 2) float32."""
    files: str = ""
    """File of each frame, separated by NUL characters, for folders; empty: they have none."""


class EndRecord(Struct, frozen=True, tag="end"):
    """Last record of a complete scan: the source ended."""

    frames: Annotated[int, Meta(ge=0, le=MAX_FRAMES)]
    """Number of frames in the file."""


@dataclass(frozen=True, slots=True, eq=False)
class ScanChunk:
    """Frames that one record of a scan file holds."""

    columns: CandidateColumns
    files: tuple[str, ...] = ()
    """File of each frame relative to the opened folder; empty if they have none."""


class ScanShape(NamedTuple):
    """Sizes that a header states for all records."""

    num_classes: int
    num_keypoints: int
    floor: float


def framed(payload: bytes) -> bytes:
    """Return a record: length, checksum, payload.

    Raises:
        ScanError: if the payload is too long.
    """
    if len(payload) > MAX_RECORD_BYTES:
        raise ScanError(
            f"A part of a scan must have at most {MAX_RECORD_BYTES >> 20} MiB, got "
            f"{len(payload) >> 20} MiB: the model predicts too many candidates per frame."
        )
    return FRAMING.pack(len(payload), zlib.crc32(payload)) + payload


def encode_chunk(chunk: ScanChunk) -> bytes:
    """Return frames as the payload of a record.

    Raises:
        ScanError: if a value couldn't be read again, such as a score above 1.
    """
    columns = chunk.columns
    try:
        _check(columns)
    except ValueError as error:
        raise ScanError(f"The model's candidates can't be kept: {error}.") from error
    entry_counts = np.bincount(columns.entry_rows, minlength=len(columns.xyxy))
    record = FramesRecord(
        frame_index=_bytes(columns.frame_index, "<i8"),
        position_s=_bytes(columns.position_s, "<f8"),
        size_wh=_bytes(columns.size_wh, "<i4"),
        counts=_bytes(np.diff(columns.starts), "<i4"),
        xyxy=_bytes(columns.xyxy, "<f4"),
        keypoints_xy=_bytes(columns.keypoints_xy, "<f4"),
        entry_counts=b"" if (entry_counts == 1).all() else _bytes(entry_counts, "<u2"),
        entry_classes=_bytes(columns.entry_classes, "<u2") if columns.entry_classes.any() else b"",
        entry_scores=_bytes(columns.entry_scores, "<f4"),
        keypoint_scores=_optional_bytes(columns.keypoint_scores),
        overlaps=_optional_bytes(columns.overlaps),
        **_encoded(columns.outlines),
        files="\0".join(chunk.files),
    )
    return msgspec.msgpack.encode(record)


def decode_record(payload: bytes, shape: ScanShape, name: str) -> ScanChunk | EndRecord:
    """Return the content of a payload, checked; it allocates a small multiple of its length.

    Raises:
        ScanError: if it isn't one, or a value is out of its range or order.
    """
    try:
        record = msgspec.msgpack.decode(payload, type=FramesRecord | EndRecord)
        return record if isinstance(record, EndRecord) else _chunk(record, shape)
    except (msgspec.MsgspecError, *UNREADABLE) as error:
        raise ScanError(f"{name} is damaged: {first_line(error)}. Scan again.") from error


def _chunk(record: FramesRecord, shape: ScanShape) -> ScanChunk:
    """Return the frames of a record; raise ValueError where sizes or values are wrong."""
    frame_index = _array(record.frame_index, "<i8")
    counts = _array(record.counts, "<i4", len(frame_index)).astype(np.int64)
    if (counts < 0).any():
        raise ValueError("counts must not be negative")
    rows = int(counts.sum())
    points = shape.num_keypoints
    entry_scores = _array(record.entry_scores, "<f4")
    entries = len(entry_scores)
    if record.entry_counts:
        entry_counts = _array(record.entry_counts, "<u2", rows).astype(np.int64)
    else:
        entry_counts = np.ones(entries, np.int64)
    if len(entry_counts) != rows or int(entry_counts.sum()) != entries:
        raise ValueError("entry_counts must be those of entry_scores")
    if record.entry_classes:
        entry_classes = _array(record.entry_classes, "<u2", entries).astype(np.int32)
    else:
        entry_classes = np.zeros(entries, np.int32)
    scores, overlaps = record.keypoint_scores, record.overlaps
    columns = CandidateColumns(
        frame_index=frame_index,
        position_s=_array(record.position_s, "<f8", len(frame_index)),
        size_wh=_array(record.size_wh, "<i4", len(frame_index), 2),
        starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
        xyxy=_array(record.xyxy, "<f4", rows, 4),
        keypoints_xy=_array(record.keypoints_xy, "<f4", rows, points, 2),
        keypoint_scores=None if scores is None else _array(scores, "<f4", rows, points),
        overlaps=None if overlaps is None else _array(overlaps, "<f4", rows),
        entry_rows=np.repeat(np.arange(rows), entry_counts),
        entry_classes=entry_classes,
        entry_scores=entry_scores,
        num_classes=shape.num_classes,
        floor=shape.floor,
        outlines=_outlines(record, rows),
    )
    _check(columns)
    if record.files and record.files.count("\0") != len(columns) - 1:
        raise ValueError("files must be as many as frames")
    return ScanChunk(columns, tuple(record.files.split("\0")) if record.files else ())


def _encoded(outlines: Outlines | None) -> dict[str, Any]:
    if outlines is None:
        return {}
    return {
        "outline_corners": outlines.corners,
        "outline_counts": _bytes(outlines.counts, "u1"),
        "outlines_xy": _bytes(outlines.xy, "<f4"),
    }


def _outlines(record: FramesRecord, rows: int) -> Outlines | None:
    if not record.outline_corners:
        return None
    counts = _array(record.outline_counts, "u1", rows).astype(np.int64)
    xy = _array(record.outlines_xy, "<f4", int(counts.sum()), 2)
    return Outlines.of_counts(record.outline_corners, counts, xy)


def _check(columns: CandidateColumns) -> None:
    """Raise ValueError if a value is out of its range or order, or not finite."""
    columns.check_values()
    if len(columns) and columns.frame_index[-1] >= MAX_FRAMES:
        raise ValueError("frame_index is too large")
    if np.isinf(columns.position_s).any():
        raise ValueError("position_s must be finite")
    for values in (columns.xyxy, columns.keypoints_xy):
        if not np.isfinite(values).all():
            raise ValueError("boxes and keypoints must be finite")
    for optional in (columns.keypoint_scores, columns.overlaps):
        if optional is not None and np.isinf(optional).any():
            raise ValueError("keypoint_scores and overlaps must be finite")


def _bytes(array: NDArray[Any], dtype: str) -> bytes:
    return np.ascontiguousarray(array, dtype).tobytes()


def _optional_bytes(array: NDArray[Any] | None) -> bytes | None:
    return None if array is None else _bytes(array, "<f4")


def _array(data: bytes, dtype: str, *shape: int) -> NDArray[Any]:
    """Return bytes as a read-only array of a shape, one-dimensional of any length without one."""
    array = np.frombuffer(data, dtype)
    if shape and array.size != int(np.prod([int(side) for side in shape], dtype=object)):
        raise ValueError(f"an array must have {shape} values, got {array.size}")
    return array.reshape(shape) if shape else array
