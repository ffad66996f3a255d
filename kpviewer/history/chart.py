"""Chart of accuracy against time, for the page and for documents."""

import io
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure

_INK = "#123456"
"""Colour of lines and texts in the drawing, which the page replaces by its own."""
_DOT = "#2f7ed8"


class Point(NamedTuple):
    """A system in the chart."""

    title: str
    ms: float
    """Time of a frame, ms."""
    ap50: float
    """Average precision at IoU 0.5, in [0, 1]."""


def chart_svg(points: Sequence[Point]) -> str:
    """Draw accuracy against the time of a frame, on a logarithmic axis.

    Returns:
        An ``<svg>`` element whose lines and texts have the colour of the text around it.
    """
    # text as text, and the same names in each drawing
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "kpviewer"}):
        _figure(points, _INK).savefig(
            stream := io.StringIO(), format="svg", transparent=True, metadata={"Date": None}
        )
    drawing = stream.getvalue()
    return drawing[drawing.index("<svg") :].replace(_INK, "currentColor")


def chart_png(points: Sequence[Point]) -> bytes:
    """Draw the same chart as a PNG file, black on white."""
    _figure(points, "black").savefig(stream := io.BytesIO(), format="png", dpi=110)
    return stream.getvalue()


def _figure(points: Sequence[Point], ink: str) -> Figure:
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    for number, point in enumerate(sorted(points, key=lambda each: each.ms)):
        axes.plot([point.ms], [point.ap50], "o", color=_DOT, markersize=9)
        is_right = number % 2 == 1  # neighbours would cover each other's names
        axes.annotate(
            point.title, (point.ms, point.ap50), (9 if is_right else -9, 0), va="center",
            textcoords="offset points", ha="left" if is_right else "right", color=ink, fontsize=10,
        )  # fmt: skip
    axes.set(xlabel="ms a frame", ylabel="AP@0.5", ylim=(0, 1.05))
    axes.margins(x=0.2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(color=ink, alpha=0.15)
    axes.set_axisbelow(True)
    axes.tick_params(colors=ink, which="both")
    axes.xaxis.label.set_color(ink)
    axes.yaxis.label.set_color(ink)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(ink)
    return figure
