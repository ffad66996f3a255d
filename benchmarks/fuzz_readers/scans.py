"""Scans of a model on a video: their values and their bytes."""

from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzz_readers.damage import damaged_bytes, damaged_value
from benchmarks.fuzz_readers.reader import Reader


def _scan_records() -> list[dict[str, Any]]:
    """Return the header and two records of a scan, as msgpack decodes them."""
    import msgspec
    import numpy as np

    from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC
    from kpviewer.scanning.columns import ScannedFrame, columns_of
    from kpviewer.scanning.header import ScanHeader
    from kpviewer.scanning.records import ScanChunk, encode_chunk
    from kpviewer.structures import Candidates

    rows, points = 4, len(FACE_SPEC.keypoint_names)
    found = Candidates(
        np.tile(np.array([[1, 2, 30, 40]], np.float32), (rows, 1)),
        np.full((rows, len(FACE_SPEC.class_names)), 0.5, np.float32),
        np.ones((rows, points, 2), np.float32),
        np.ones((rows, points), np.float32),
        (64, 48),
    )
    header = ScanHeader(
        model="face-ssd", model_hash="ab", backend="torch", precision="fp32", device="CPU",
        spec_json=FACE_SPEC.to_json(), source="clip.mp4", fingerprint="file:1:ab", frame_count=4,
        fps=30.0, width=64, height=48, floor=0.05,
    )  # fmt: skip
    parts = [msgspec.msgpack.encode(header)]
    for first in (0, 2):
        frames = [ScannedFrame(first + at, 0.1, found, "a.png") for at in range(2)]
        columns = columns_of(frames, len(FACE_SPEC.class_names), points, 0.05)
        parts.append(encode_chunk(ScanChunk(columns, ("a.png", "b.png"))))
    return [msgspec.msgpack.decode(part) for part in parts]


def _write_scan(folder: Path, records: list[Any]) -> Path:
    import msgspec

    from kpviewer.scanning.records import MAGIC, framed

    payloads = [msgspec.msgpack.encode(record) for record in records]
    (folder / "clip.kpv").write_bytes(MAGIC + b"".join(framed(each) for each in payloads))
    return folder / "clip.kpv"


def write_scan_values(folder: Path, random: Random) -> Path:
    """Write a scan with one wrong value and right checksums."""
    records: list[Any] = _scan_records()
    at = random.randrange(len(records))
    record = records[at]
    arrays = [name for name, value in record.items() if isinstance(value, bytes)]
    if arrays and random.random() < 0.7:
        name = random.choice(arrays)
        records[at] = {**record, name: damaged_bytes(record[name] or b"\0" * 8, random)}
    else:
        records[at] = damaged_value(record, random)
    try:
        return _write_scan(folder, records)
    except (OverflowError, TypeError, RecursionError, UnicodeEncodeError):  # not for msgpack
        records[at] = {**record, random.choice(list(record)): [[-1] * 1000]}
        return _write_scan(folder, records)


def write_scan_bytes(folder: Path, random: Random) -> Path:
    """Write a scan with damaged bytes."""
    path = _write_scan(folder, _scan_records())
    path.write_bytes(damaged_bytes(path.read_bytes(), random))
    return path


def read_scan(path: Path) -> None:
    """Read a scan and select in every frame."""
    from kpviewer.api.scans import read_scan as opened

    for _ in opened(path).frames(score=0.1, iou=0.9):
        pass


READERS = {
    "scan-values": Reader(write_scan_values, read_scan),
    "scan-bytes": Reader(write_scan_bytes, read_scan),
}
