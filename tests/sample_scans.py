"""Scan files for tests: small, with values from a seed."""

from pathlib import Path

import numpy as np

from kpviewer.models.spec import ModelSpec, Task
from kpviewer.scanning.columns import CandidateColumns, ScannedFrame, columns_of
from kpviewer.scanning.header import ScanHeader
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.scan_file import ScanReader
from kpviewer.scanning.scan_writer import ScanWriter
from kpviewer.structures import Candidates

FLOOR = 0.05
CLASSES, POINTS = 3, 2
SPEC = ModelSpec(
    "cards",
    "fake",
    Task.DETECT_KEYPOINTS,
    ("ace", "king", "queen"),
    (48, 64),
    keypoint_names=("left", "right"),
    skeleton=((0, 1),),
    mirrored_keypoints=(1, 0),
    score_threshold=0.4,
    keypoint_threshold=0.3,
)


def header(**given: object) -> ScanHeader:
    """Return the header of a scan of ten frames."""
    values: dict[str, object] = {
        "model": "cards.safetensors",
        "model_hash": "ab" * 32,
        "backend": "torch",
        "precision": "fp32",
        "device": "CPU",
        "spec_json": SPEC.to_json(),
        "source": "clip.mp4",
        "fingerprint": "file:1234:" + "cd" * 16,
        "frame_count": 10,
        "fps": 10.0,
        "width": 64,
        "height": 48,
        "floor": FLOOR,
    }
    return ScanHeader(**{**values, **given})  # type: ignore[arg-type]


def candidates(seed: int, count: int = 6) -> Candidates:
    """Return candidates with scores on both sides of the floor."""
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 40, (count, 2))
    xyxy = np.concatenate([corner, corner + random.uniform(3, 20, (count, 2))], 1)
    return Candidates(
        xyxy.astype(np.float32),
        (random.uniform(0, 1, (count, CLASSES)) ** 3).astype(np.float32),
        random.uniform(0, 64, (count, POINTS, 2)).astype(np.float32),
        random.uniform(0, 1, (count, POINTS)).astype(np.float32),
        (64, 48),
    )


def columns(*indices: int) -> CandidateColumns:
    """Return frames of some numbers; frame 4 has no candidates."""
    frames = (
        ScannedFrame(index, index / 10, candidates(index, 0 if index == 4 else 6))
        for index in indices
    )
    return columns_of(frames, CLASSES, POINTS, FLOOR)


def chunk(*indices: int) -> ScanChunk:
    """Return frames of some numbers, in files."""
    return ScanChunk(columns(*indices), tuple(f"{index}.png" for index in indices))


def write_scan(path: Path, *chunks: ScanChunk, is_complete: bool = False) -> Path:
    """Write a scan file."""
    writer = ScanWriter(path, header())
    for each in chunks:
        writer.append(each)
    if is_complete:
        writer.finish()
    writer.close()
    return path


def frames_in(reader: ScanReader) -> list[int]:
    """Return the numbers of new frames."""
    return [int(index) for each in reader.read_new() for index in each.columns.frame_index]
