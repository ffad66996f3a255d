"""Results in COCO format: the list of results for pycocotools, and a data set of their own.

Both have the same ids. With a COCO ground truth they are its ids, so the list can be scored against
it. Without one, an image has the index of its frame, and a category its class id plus 1.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from kpviewer.recording.formats import (
    PX_DECIMALS,
    SCORE_DECIMALS,
    ResultFormat,
    ResultHeader,
    outlines_of,
    rounded,
)
from kpviewer.structures import Detections, Frame, FrameResult

_VISIBLE = 2
_NOT = (0, 0, 0)
"""Position and flag of a keypoint whose score is below the threshold: COCO's "not labelled"."""
_IN_MEMORY_BYTES = 1_000_000


class CocoResults(ResultFormat):
    """The list for ``COCO.loadRes`` of pycocotools, one entry per detection of each image."""

    def __init__(self, header: ResultHeader) -> None:
        super().__init__(header)
        self._entries = _Entries(header)
        self._separator = ""

    def begin(self) -> str:
        """Return the start of the list."""
        return "["

    def frame(self, result: FrameResult) -> str:
        """Return the entries of one frame."""
        text = ""
        for entry in self._entries.of(result) or ():
            text += f"{self._separator}\n{_json(entry)}"
            self._separator = ","
        return text

    def end(self) -> str:
        """Return the end of the list."""
        return "\n]\n"

    def whole_bytes(self, cut: bytes) -> int:
        """Return the length of the whole entries, without the comma behind the last."""
        return len(cut[: max(cut.rfind(b"\n"), 0)].rstrip(b","))

    def end_of_cut(self) -> str:
        """Return the end of the list."""
        return self.end()

    def notes(self) -> list[str]:
        """Return notes on entries that the list leaves out, and why."""
        return self._entries.notes()


class CocoDataset(ResultFormat):
    """A data set that pycocotools, CVAT and FiftyOne open: categories, annotations and images.

    Images come last, as they are known only at the end. Until then they wait in a temporary file:
    a long video needs no more memory than a short one. The list of results, which is written too,
    has the notes.
    """

    def __init__(self, header: ResultHeader) -> None:
        super().__init__(header)
        self._entries = _Entries(header)
        self._images = tempfile.SpooledTemporaryFile(  # noqa: SIM115 (closed by ``end``)
            max_size=_IN_MEMORY_BYTES, mode="w+", encoding="utf-8"
        )
        self._separator = ""
        self._objects = 0

    def begin(self) -> str:
        """Return the categories and the start of the list of annotations."""
        model = self._header.model or "no model"
        about = {"description": f"Detections of {model} in {self._header.source}"}
        categories = _json(_categories(self._header))
        return (
            f'{{"info": {_json(about)},\n"licenses": [],\n"categories": {categories},\n'
            '"annotations": ['
        )

    def frame(self, result: FrameResult) -> str:
        """Return the annotations of one frame, and note its image."""
        entries = self._entries.of(result)
        if entries is None:
            return ""
        image = _image(self._entries.image_id(result.frame), result.frame)
        self._images.write(f"{self._separator}\n{_json(image)}")
        self._separator, text = ",", ""
        for entry in entries:
            self._objects += 1
            whole = {"id": self._objects, "segmentation": [], **entry, "iscrowd": 0}
            whole["area"] = rounded(_area(entry), PX_DECIMALS)
            if "keypoints" in entry:
                whole["num_keypoints"] = sum(flag > 0 for flag in entry["keypoints"][2::3])
            text += f"{',' if self._objects > 1 else ''}\n{_json(whole)}"
        return text

    def end(self) -> str:
        """Return the end of the list of annotations, and the images."""
        self._images.seek(0)
        with self._images as images:
            return f'\n],\n"images": [{images.read()}\n]}}\n'


class _Entries:
    """Detections with COCO ids; counts images and classes that the ground truth lacks."""

    def __init__(self, header: ResultHeader) -> None:
        self._header = header
        self._seen: set[object] = set()
        self._seen_frames = bytearray()
        """1 for each frame that came, by its index: a camera may be recorded for days."""
        self._first_unknown_image: str | None = None
        self._unknown_images = 0
        self._unknown_classes: dict[str, int] = {}

    def image_id(self, frame: Frame) -> int | str | None:
        """Return the image's id; None if the ground truth lacks the image."""
        if self._header.category_ids is None:
            return frame.index
        return None if frame.ground_truth is None else frame.ground_truth.image_id

    def of(self, result: FrameResult) -> list[dict[str, Any]] | None:
        """Return an entry for each detection whose class the ground truth has.

        Returns:
            None if the ground truth lacks the image, or the image came before, as after a seek.
        """
        frame, image_id = result.frame, self.image_id(result.frame)
        if not self._is_new(frame, image_id):
            return None
        if image_id is None:
            self._unknown_images += 1
            self._first_unknown_image = self._first_unknown_image or str(frame.file or frame.index)
            return None
        return list(self._found(result.detections, image_id))

    def _is_new(self, frame: Frame, image_id: int | str | None) -> bool:
        """Return whether an image comes for the first time, and note it."""
        seen = self._seen_frames
        if self._header.category_ids is None:
            seen.extend(bytes(max(frame.index + 1 - len(seen), 0)))
            is_new, seen[frame.index] = not seen[frame.index], 1
            return is_new
        key = (frame.file, frame.index) if image_id is None else image_id
        count = len(self._seen)
        self._seen.add(key)
        return len(self._seen) > count

    def _found(self, found: Detections, image_id: int | str) -> Iterator[dict[str, Any]]:
        ids = self._header.category_ids
        predicted, outlines = found.keypoints_predicted.tolist(), outlines_of(found)
        for row in np.flatnonzero(np.isfinite(found.xyxy).all(axis=1)).tolist():
            class_id = int(found.class_ids[row])
            category_id = class_id + 1 if ids is None else ids.get(class_id)
            if category_id is None:
                name = self._header.class_name(class_id)
                self._unknown_classes[name] = self._unknown_classes.get(name, 0) + 1
                continue
            left, top, right, bottom = found.xyxy[row].tolist()
            entry: dict[str, Any] = {
                "image_id": image_id,
                "category_id": category_id,
                "bbox": rounded([left, top, right - left, bottom - top], PX_DECIMALS),
                "score": rounded(float(found.scores[row]), SCORE_DECIMALS),
            }
            if found.keypoints_xy.shape[1]:
                points = zip(found.keypoints_xy[row].tolist(), predicted[row], strict=True)
                flat = [
                    v for (x, y), is_in in points for v in ((x, y, _VISIBLE) if is_in else _NOT)
                ]
                entry["keypoints"] = rounded(flat, PX_DECIMALS)
            if (outline := outlines[row]) is not None:
                entry["segmentation"] = [[value for corner in outline for value in corner]]
            yield entry

    def notes(self) -> list[str]:
        """Return notes on what was left out, with counts and names."""
        notes = []
        if self._unknown_images:
            notes.append(
                "COCO results leave out images that the ground truth doesn't have: "
                f"{self._unknown_images}, the first is {self._first_unknown_image}"
            )
        if self._unknown_classes:
            names = ", ".join(f"{name} ({n})" for name, n in self._unknown_classes.items())
            notes.append(
                f"COCO results leave out objects of classes that the ground truth lacks: {names}"
            )
        return notes


def _area(entry: dict[str, Any]) -> float:
    """Return the area of an entry's outline, px^2; that of its box if it has none."""
    if "segmentation" not in entry:
        return float(entry["bbox"][2] * entry["bbox"][3])
    x, y = np.array(entry["segmentation"][0]).reshape(-1, 2).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2  # shoelace formula


def _categories(header: ResultHeader) -> list[dict[str, Any]]:
    points: dict[str, Any] = {}
    if header.keypoint_names:
        lines = [[start + 1, end + 1] for start, end in header.skeleton]
        points = {"keypoints": list(header.keypoint_names), "skeleton": lines}
    ids = header.category_ids
    if ids is None:
        ids = {class_id: class_id + 1 for class_id in range(len(header.class_names))}

    def in_order(pair: tuple[int, int | str]) -> tuple[bool, int | str]:
        return isinstance(pair[1], str), pair[1]

    return [
        {"id": category_id, "name": header.class_name(class_id), "supercategory": "", **points}
        for class_id, category_id in sorted(ids.items(), key=in_order)
    ]


def _image(image_id: int | str | None, frame: Frame) -> dict[str, Any]:
    """Return the entry of an image; a frame of a video is named as its ``--yolo`` image."""
    height, width = frame.bgr.shape[:2]
    about: dict[str, Any] = {"id": image_id, "width": width, "height": height}
    if frame.file is not None and frame.frame_in_file is None:
        return about | {"file_name": frame.file}
    number = frame.index if frame.frame_in_file is None else frame.frame_in_file
    stem = PurePosixPath(frame.file).with_suffix("") if frame.file is not None else "frame"
    about |= {"file_name": f"{stem}_{number:06d}.jpg", "frame": number}
    return about | ({"video": frame.file} if frame.file is not None else {})


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
