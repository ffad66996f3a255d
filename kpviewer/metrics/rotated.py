"""Areas that rotated boxes share, exact."""

import numpy as np
from numpy.typing import NDArray

from kpviewer.structures import BOX_CORNERS, FloatArray, signed_areas

Float64Array = NDArray[np.float64]


def shared_area(one_xy: FloatArray, other_xy: FloatArray) -> Float64Array:
    """Return the area that two rotated boxes share, px^2, of P pairs: (P,).

    The sides of the one cut the other, each in turn. Source: Sutherland and Hodgman 1974, Reentrant
    Polygon Clipping (CACM 17).

    Args:
        one_xy: (P, 4, 2) corners in order, of convex boxes.
        other_xy: (P, 4, 2) corners in order.
    """
    shared = np.zeros(len(one_xy))
    meet = (one_xy.max(1) > other_xy.min(1)) & (other_xy.max(1) > one_xy.min(1))
    rows = np.flatnonzero(meet.all(1))
    origin = one_xy[rows, :1].astype(np.float64)
    knife, rest = one_xy[rows] - origin, other_xy[rows] - origin
    whole = signed_areas(knife)
    turns = np.sign(whole)[:, None]
    for side in range(BOX_CORNERS):
        start = knife[:, side, None]
        along = knife[:, (side + 1) % BOX_CORNERS, None] - start
        rest = _cut(rest, turns * _cross(along, rest - start))
    shared[rows] = np.minimum(abs(signed_areas(rest)), abs(whole))  # without area, it cuts nothing
    return shared


def _cut(corners: Float64Array, inside: Float64Array) -> Float64Array:
    """Return the part of each polygon on the inner side of a line: (P, W, 2).

    Args:
        corners: (P, V, 2) corners, of which neighbours may be the same.
        inside: (P, V) distance of each from the line, in any unit; negative outside.
    """
    following, beyond = np.roll(corners, -1, 1), np.roll(inside, -1, 1)
    crosses = (inside < 0) != (beyond < 0)
    share = np.where(crosses, inside / np.where(crosses, inside - beyond, 1), 0)[..., None]
    both = np.stack([corners, corners + share * (following - corners)], 2)
    is_kept = np.stack([inside >= 0, crosses], 2)
    count, size = corners.shape[:2]
    both, is_kept = both.reshape(count, 2 * size, 2), is_kept.reshape(count, 2 * size)
    left = is_kept.sum(1)
    order = np.argsort(~is_kept, axis=1, kind="stable")
    places = np.minimum(np.arange(left.max(initial=1)), np.maximum(left - 1, 0)[:, None])
    order = np.take_along_axis(order, places, 1)
    rest = np.take_along_axis(both, order[..., None], 1)
    return np.asarray(rest * (left > 0)[:, None, None])


def _cross(one: Float64Array, other: Float64Array) -> Float64Array:
    return one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
