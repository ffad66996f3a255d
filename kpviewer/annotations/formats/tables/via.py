"""Tables of the VGG Image Annotator (VIA): their cells hold shapes and attributes as JSON."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from kpviewer.annotations.formats.tables.text import Table

_SHAPE, _ATTRIBUTES = "region_shape_attributes", "region_attributes"
_CLASS_KEYS = ("class", "label", "name", "type", "category", "object")
_COLUMNS = ["file", "xmin", "ymin", "xmax", "ymax", "class"]


def is_via(header: Sequence[str]) -> bool:
    """Return whether a table has VIA's columns."""
    return {"filename", _SHAPE, _ATTRIBUTES} <= {name.lstrip("#").strip() for name in header}


def rows_of_via(table: Table) -> Table:
    """Return the table with kpviewer's columns; rows without a box get a blank one."""
    names = [name.lstrip("#").strip() for name in table.header]
    columns = [names.index(name) for name in ("filename", _SHAPE, _ATTRIBUTES)]
    return replace(table, header=_COLUMNS, rows=_rows(table, columns), has_decimal_commas=False)


def _rows(table: Table, columns: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    for line, row in table.rows:
        file, shape, attributes = (row[at] if at < len(row) else "" for at in columns)
        box = _box(_json(shape))
        yield line, [file, *box, _class(_json(attributes))]


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _box(shape: dict[str, Any]) -> list[str]:
    """Return the corners of a rectangle, a polygon, a circle or an ellipse, as texts."""
    try:
        if "all_points_x" in shape:
            xs, ys = [[float(each) for each in shape[f"all_points_{axis}"]] for axis in "xy"]
            return [str(side) for side in (min(xs), min(ys), max(xs), max(ys))]
        if "cx" in shape:
            x, y = float(shape["cx"]), float(shape["cy"])
            rx, ry = (float(shape.get(key, shape.get("r", 0))) for key in ("rx", "ry"))
            theta = float(shape.get("theta", 0))
            cos, sin = math.cos(theta), math.sin(theta)
            wide, high = math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)
            return [str(side) for side in (x - wide, y - high, x + wide, y + high)]
        if "width" in shape:
            x, y, wide, high = (float(shape[key]) for key in ("x", "y", "width", "height"))
            return [str(side) for side in (x, y, x + wide, y + high)]
    except (KeyError, TypeError, ValueError, OverflowError):
        return ["?"] * 4  # the reader reports it as not a number
    return [""] * 4


def _class(attributes: dict[str, Any]) -> str:
    values = [attributes[key] for key in _CLASS_KEYS if attributes.get(key)]
    value = next(iter(values or attributes.values()), "")
    if isinstance(value, dict):  # a checkbox
        value = next((key for key, is_set in value.items() if is_set), "")
    return str(value) if isinstance(value, str | int | float) else ""
