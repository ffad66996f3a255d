"""Rotation and mirroring of a source. Light to import."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kpviewer.structures import FloatArray, GroundTruth

_ORIENTATIONS = {0: 1, 90: 6, 180: 3, 270: 8}
_MIRRORED = {0: 2, 90: 5, 180: 4, 270: 7}
ANGLES = tuple(_ORIENTATIONS)
"""Angles of rotation, in degrees clockwise."""
_MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class Turn:
    """Rotation of an image, then mirroring of left and right."""

    degrees: int = 0
    """Angle clockwise: 0, 90, 180 or 270."""
    is_mirrored: bool = False

    def __post_init__(self) -> None:
        """Check the angle."""
        if self.degrees not in ANGLES:
            raise ValueError(f"degrees must be one of {ANGLES}, got {self.degrees}")

    def __str__(self) -> str:
        """Return the turn as text, such as "90 mirror"; empty if nothing is turned."""
        parts = [str(self.degrees) if self.degrees else "", _MIRROR if self.is_mirrored else ""]
        return " ".join(part for part in parts if part)

    @classmethod
    def parse(cls, text: str) -> Turn:
        """Return the turn of a text; what isn't known in it turns nothing."""
        words = text.split()
        degrees = next((int(word) for word in words if word in map(str, ANGLES)), 0)
        return cls(degrees, _MIRROR in words)

    @property
    def options(self) -> tuple[str, ...]:
        """Options of ``kpviewer process`` and ``view`` for the turn."""
        rotate = ("--rotate", str(self.degrees)) if self.degrees else ()
        return (*rotate, "--mirror") if self.is_mirrored else rotate

    @property
    def orientation(self) -> int:
        """EXIF orientation that describes the turn."""
        return (_MIRRORED if self.is_mirrored else _ORIENTATIONS)[self.degrees]

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height are exchanged."""
        return self.degrees in (90, 270)

    def rotated(self) -> Turn:
        """Return the turn after a further rotation by 90° clockwise on the screen."""
        step = 270 if self.is_mirrored else 90
        return replace(self, degrees=(self.degrees + step) % 360)

    def ground_truth(
        self, ground_truth: GroundTruth, size_wh: tuple[int, int]
    ) -> GroundTruth | None:
        """Return the ground truth of a turned image.

        Returns:
            None for a mirrored image: which of its keypoints are left and right isn't known here.
        """
        if self.is_mirrored:
            return None
        corners = self._rotated(ground_truth.xyxy.reshape(-1, 2, 2), size_wh)
        outlines = ground_truth.outlines_xy
        return replace(
            ground_truth,
            xyxy=np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1),
            keypoints_xy=self._rotated(ground_truth.keypoints_xy, size_wh),
            outlines_xy=None if outlines is None else self._rotated(outlines, size_wh),
        )

    def _rotated(self, xy: FloatArray, size_wh: tuple[int, int]) -> FloatArray:
        """Rotate (..., 2) points of an image."""
        (x, y), (width, height) = np.moveaxis(xy, -1, 0), map(np.float32, size_wh)
        if self.degrees == 90:
            x, y = height - y, x
        elif self.degrees == 180:
            x, y = width - x, height - y
        elif self.degrees == 270:
            x, y = y, width - x
        return np.stack([x, y], axis=-1)


UNTURNED = Turn()
"""Frames as they come."""
