"""Types of arrays, and checks of them."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
ImageArray: TypeAlias = NDArray[np.uint8]


def check(name: str, array: NDArray[Any], shape: tuple[int | str, ...], dtype: type) -> None:
    """Raise ValueError unless ``array`` has ``dtype`` and ``shape`` (a str allows any size)."""
    fits = array.ndim == len(shape) and all(
        isinstance(size, str) or got == size for got, size in zip(array.shape, shape, strict=False)
    )
    if not fits:
        required = "(" + ", ".join(str(size) for size in shape) + ")"
        raise ValueError(f"{name} must have shape {required}, got {array.shape}")
    if array.dtype != np.dtype(dtype):
        raise ValueError(f"{name} must have dtype {np.dtype(dtype)}, got {array.dtype}")


def taken(value: Any, rows: IntArray | BoolArray) -> dict[str, Any]:
    """Return the arrays of a dataclass in some rows, by field."""
    return {name: array[rows] for name, array in arrays_of(value).items()}


def scaled(value: Any, factors: FloatArray) -> dict[str, Any]:
    """Return the coordinates of a dataclass times (2,) factors, by field."""
    found = arrays_of(value)
    fields_of_points = (name for name in found if name == "xyxy" or name.endswith("_xy"))
    return {
        name: (found[name] * np.tile(factors, found[name].shape[-1] // 2)).astype(np.float32)
        for name in fields_of_points
    }


def joined(values: Sequence[Any]) -> dict[str, Any]:
    """Return the arrays that all of some dataclasses have, one behind the other, by field."""
    every = [arrays_of(value) for value in values]
    names = [name for name in every[0] if all(name in arrays for arrays in every)]
    return {name: np.concatenate([arrays[name] for arrays in every]) for name in names}


def arrays_of(value: Any) -> dict[str, NDArray[Any]]:
    """Return the arrays of a dataclass by field, those that are None left out."""
    found = {each.name: getattr(value, each.name) for each in fields(value)}
    return {name: array for name, array in found.items() if isinstance(array, np.ndarray)}


def corner_counts(outlines_xy: FloatArray) -> IntArray:
    """Return how many corners each of (N, V, 2) outlines has before the last one comes again."""
    differs = (outlines_xy != outlines_xy[:, -1:]).any(2)
    last = np.where(differs, np.arange(outlines_xy.shape[1]), -1).max(1, initial=-1)
    counts: IntArray = last + 2
    return counts


def box_outlines(xyxy: FloatArray, count: int) -> FloatArray:
    """Return outlines of (N, 4) boxes, the last of their corners repeated: (N, count, 2)."""
    corners = xyxy[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    return np.asarray(corners[:, np.minimum(np.arange(count), 3)], np.float32)


def padded(outlines_xy: FloatArray, count: int) -> FloatArray:
    """Return (N, V, 2) outlines with the last corner repeated, or left out: (N, count, 2)."""
    return outlines_xy[:, np.minimum(np.arange(count), outlines_xy.shape[1] - 1)]


def signed_areas(corners_xy: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the areas of (N, V, 2) polygons, negative if they turn the other way: (N,)."""
    x, y = np.moveaxis(corners_xy - corners_xy[:, :1].astype(np.float64), -1, 0)
    twice = x * np.roll(y, -1, -1) - y * np.roll(x, -1, -1)
    return np.asarray(twice.sum(-1) / 2)


def no_rows(*shape: int) -> FloatArray:
    return np.zeros((0, *shape), np.float32)
