"""Figures of evaluation reports, drawn with matplotlib, as PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kpviewer.metrics.curves import Calibration, PrecisionRecall
from kpviewer.metrics.multilabel import ThresholdSweep
from kpviewer.structures import IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SWEPT_NAMES = {"f1": "F1", "accuracy_multi": "accuracy_multi"}
"""Names of ``metrics.multilabel.SWEEP_METRICS`` for people."""
_MANY_CLASSES = 12
"""Number of classes above which a legend hides the curves, and cells are too small for numbers."""

_MOST_NAMES = 100
"""Number of classes above which the confusion matrix has their numbers and no larger image."""


def curve_figure(curves: Sequence[PrecisionRecall], class_names: Sequence[str]) -> bytes:
    """Draw precision against recall, a line for each class."""
    figure, axes = _figure()
    for curve, name in zip(curves, class_names, strict=True):
        if curve.objects:
            precision = np.concatenate([curve.precision[:1], curve.precision])
            recall = np.concatenate([[0.0], curve.recall])[: len(precision)]  # or no detection
            axes.plot(recall, precision, label=name, drawstyle="steps-pre")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    if axes.lines and len(class_names) <= _MANY_CLASSES:
        axes.legend(loc="lower left", frameon=False)
    return _png(figure)


def calibration_figure(result: Calibration) -> bytes:
    """Draw the share of true positives against the score; calibrated scores are on the diagonal."""
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
    width = 1 / len(result.counts)
    left = np.arange(len(result.counts)) * width
    shares = np.nan_to_num(result.precision)
    axes.bar(left, shares, width, align="edge", edgecolor="white")
    for x, share, count in zip(left, shares, result.counts, strict=True):
        if count:
            axes.annotate(
                str(count), (x + width / 2, min(share, 0.96)), ha="center", va="bottom", fontsize=7
            )
    axes.set(xlabel="score", ylabel="share of true positives", xlim=(0, 1), ylim=(0, 1.02))
    return _png(figure)


def confusion_figure(counts: IntArray, class_names: Sequence[str]) -> bytes:
    """Draw the confusion matrix; colours are shares of the objects of the class."""
    figure, axes = _figure(side_inches=4.2 + 0.12 * min(len(class_names), _MOST_NAMES))
    objects = counts.sum(1)
    objects[-1] = objects[:-1].sum()  # false positives are shown relative to all objects
    share = counts / np.maximum(objects[:, None], 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if len(class_names) <= _MOST_NAMES:
        axes.set_xticks(range(len(counts)), [*class_names, "background"], rotation=45, ha="right")
        axes.set_yticks(range(len(counts)), [*class_names, "background"])
    axes.set(xlabel="predicted", ylabel="ground truth")
    axes.grid(visible=False)
    if len(class_names) <= _MANY_CLASSES:
        for row, column in np.ndindex(*counts.shape):
            dark = share[row, column] > 0.5
            axes.annotate(
                str(counts[row, column]), (column, row), ha="center", va="center",
                color="white" if dark else "black",
            )  # fmt: skip
    return _png(figure)


def error_figure(errors: Sequence[float], unit: str) -> bytes:
    """Draw the distribution of keypoint errors; the last bar includes the largest percent."""
    figure, axes = _figure()
    limit = float(np.percentile(errors, 99)) or 1.0
    axes.hist(np.clip(errors, 0, limit), bins=40, range=(0, limit))
    axes.set(xlabel=f"mean error of an object, over {unit}", ylabel="objects", xlim=(0, limit))
    return _png(figure)


def sweep_figure(sweep: ThresholdSweep, by: str) -> bytes:
    """Draw the scores of a multi-label model against the threshold, and mark the best."""
    best = sweep.best(by)
    figure = _blank(6, 4)
    panel = figure.subplots()
    for name, values in (("f1", sweep.f1), ("accuracy_multi", sweep.accuracy_multi)):
        (line,) = panel.plot(sweep.thresholds, values, label=SWEPT_NAMES[name])
        if name == by:
            height = float(values[abs(sweep.thresholds - best).argmin()])
            line.set_label(f"{SWEPT_NAMES[name]}, best {height:.3f} at {best:.2f}")
            panel.plot([best], [height], "o", color=line.get_color())
    panel.axvline(best, color="0.7", linewidth=1, zorder=0)
    panel.set(xlabel="confidence threshold", ylabel="score", xlim=(0, 1), ylim=(0, 1.02))
    panel.grid(color="0.9")
    panel.legend(frameon=False)
    return _png(figure)


def _figure(side_inches: float = 4.2) -> tuple[Figure, Axes]:
    figure = _blank(side_inches * 1.2, side_inches)
    axes: Axes = figure.subplots()
    axes.grid(visible=True, color="0.9")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _blank(width_inches: float, height_inches: float) -> Figure:
    from matplotlib.figure import Figure  # noqa: PLC0415 - only reports have figures

    return Figure((width_inches, height_inches), layout="constrained")


def _png(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()
