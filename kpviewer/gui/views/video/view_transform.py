"""Position of the image in the view: fit, zoom and pan as pure functions. No widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace

MAX_ZOOM = 64.0
"""Largest zoom, relative to the size that fits: single pixels become visible."""


@dataclass(frozen=True, slots=True)
class ViewTransform:
    """Map from source pixels to the view: view = source * scale + (left, top).

    Sizes are (width, height): the source's in px, the view's in device-independent px.
    """

    source_wh: tuple[int, int]
    view_wh: tuple[int, int]
    zoom: float = 1.0
    """Zoom factor; 1 fits the whole image into the view."""
    center_xy: tuple[float, float] = (0.5, 0.5)
    """Point in the centre of the view, as fractions of the source's sides."""

    @property
    def scale(self) -> float:
        """Scale in view px per source px."""
        width, height = self.source_wh
        fit = min(self.view_wh[0] / max(width, 1), self.view_wh[1] / max(height, 1))
        return max(fit, 1e-6) * self.zoom

    @property
    def offset(self) -> tuple[float, float]:
        """Left and top of the image in the view, px."""
        left, top = (
            view / 2 - center * source * self.scale
            for view, center, source in zip(
                self.view_wh, self.center_xy, self.source_wh, strict=True
            )
        )
        return left, top

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """Map a source point to the view."""
        left, top = self.offset
        return x * self.scale + left, y * self.scale + top

    def to_source(self, x: float, y: float) -> tuple[float, float]:
        """Map a view point to the source."""
        left, top = self.offset
        return (x - left) / self.scale, (y - top) / self.scale

    def fitted(self) -> ViewTransform:
        """Return the transform that shows the whole image."""
        return replace(self, zoom=1.0, center_xy=(0.5, 0.5))

    def resized(self, source_wh: tuple[int, int], view_wh: tuple[int, int]) -> ViewTransform:
        """Return the transform for other sizes, with the same point in the centre."""
        return _kept_inside(replace(self, source_wh=source_wh, view_wh=view_wh))

    def zoomed(self, factor: float, at: tuple[float, float]) -> ViewTransform:
        """Zoom by a factor; the image point under ``at`` (view px) stays under it.

        An image that gets smaller than the view is centred instead.
        """
        smallest = min(1.0, self.zoom)  # a small image at its own size leaves room around it
        zoom = min(max(self.zoom * factor, smallest), MAX_ZOOM)
        x, y = self.to_source(*at)
        scale = self.scale / self.zoom * zoom
        center = tuple(
            (point + (view / 2 - cursor) / scale) / source
            for point, view, cursor, source in zip(
                (x, y), self.view_wh, at, self.source_wh, strict=True
            )
        )
        return _kept_inside(replace(self, zoom=zoom, center_xy=(center[0], center[1])))

    def zoomed_to(self, xyxy: tuple[float, float, float, float], share: float) -> ViewTransform:
        """Centre a box of the source, zoomed until it fills a share of the view."""
        left, top, right, bottom = xyxy
        width, height = max(right - left, 1.0), max(bottom - top, 1.0)
        wanted = share * min(self.view_wh[0] / width, self.view_wh[1] / height)
        zoom = min(max(wanted / (self.scale / self.zoom), 1.0), MAX_ZOOM)
        center = (
            (left + right) / 2 / self.source_wh[0],
            (top + bottom) / 2 / self.source_wh[1],
        )
        return _kept_inside(replace(self, zoom=zoom, center_xy=center))

    def scaled(self, scale: float) -> ViewTransform:
        """Return the transform with a scale in view px per source px, and the same centre."""
        zoom = min(scale * self.zoom / self.scale, MAX_ZOOM)
        return _kept_inside(replace(self, zoom=zoom))

    def panned(self, dx: float, dy: float) -> ViewTransform:
        """Move the image by view px."""
        center = (
            self.center_xy[0] - dx / (self.scale * self.source_wh[0]),
            self.center_xy[1] - dy / (self.scale * self.source_wh[1]),
        )
        return _kept_inside(replace(self, center_xy=center))


def _kept_inside(moved: ViewTransform) -> ViewTransform:
    """Keep a larger image from leaving gaps at the edges; centre a smaller one."""
    center = []
    for centre, view, source in zip(moved.center_xy, moved.view_wh, moved.source_wh, strict=True):
        half = view / (2 * moved.scale * max(source, 1))
        center.append(0.5 if half >= 0.5 else min(max(centre, half), 1 - half))
    return replace(moved, center_xy=(center[0], center[1]))
