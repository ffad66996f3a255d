"""The page of a history: one HTML file with its images inside."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.evaluation.page import PageFigure, html_templates
from kpviewer.evaluation.report import missing_renderer
from kpviewer.evaluation.text import number
from kpviewer.history.chart import Point, chart_png, chart_svg
from kpviewer.history.results import FamilyResult, History
from kpviewer.models.selection import select
from kpviewer.structures import Candidates

PAGE = "index.html"
CHART = "chart.png"
SHOWN = 6
"""Number of test images on the page, at most."""
SHOWN_SCORE = 0.3
"""Lowest confidence of the detections that are drawn."""
STAGES = ("resize", "proposals", "backbone", "pooling", "head", "nms")


class ImageRow(NamedTuple):
    """A test image as every family sees it."""

    caption: str
    figures: list[PageFigure]


def write_page(folder: Path, history: History) -> Path:
    """Write ``FOLDER/index.html`` and ``FOLDER/chart.png``; main thread only.

    Raises:
        OSError: if it can't be written.
    """
    environment = html_templates(Path(__file__).parent)
    environment.filters.update(
        number=number, milliseconds=milliseconds, megabytes=megabytes, minutes=minutes
    )
    points = _points(history)
    text = environment.get_template("page.html.jinja").render(
        history=history,
        stages=STAGES,
        shown_score=SHOWN_SCORE,
        chart=chart_svg(points) if points else "",
        image_rows=list(_image_rows(history)),
    )
    path = folder / PAGE
    # file names may contain bytes that aren't text
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    if points:
        (folder / CHART).write_bytes(chart_png(points))
    return path


def milliseconds(value: float) -> str:
    """Return a time with three significant digits: "0.12", "13.4", "8,120"."""
    digits = 2 if value < 1 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


def megabytes(value: int | None) -> str:
    """Return a size in MB; a dash for None."""
    return "-" if value is None else f"{value / 1e6:.1f}"


def minutes(seconds: float) -> str:
    """Return a time in minutes: "0.4 min", "12 min"."""
    return f"{seconds / 60:.{1 if seconds < 600 else 0}f} min"


def _points(history: History) -> list[Point]:
    """Return the families that have a score and times."""
    return [
        Point(each.family.title, each.stages.total, each.scores.ap50)
        for each in history.families
        if each.stages is not None and each.scores is not None and each.scores.ap50 is not None
    ]


def _image_rows(history: History) -> Iterator[ImageRow]:
    if missing_renderer():
        return
    for row, image in enumerate(history.timed[:SHOWN]):
        yield ImageRow(
            image.path.name,
            [
                _figure(each, image, each.candidates[row])
                for each in history.families
                if row < len(each.candidates)
            ],
        )


def _figure(result: FamilyResult, image: AnnotatedImage, candidates: Candidates) -> PageFigure:
    from kpviewer.evaluation.drawing import draw_detections  # noqa: PLC0415 - Qt may be missing

    assert result.detector is not None
    spec = result.detector.spec
    shown = select(candidates, replace(spec.thresholds, score=SHOWN_SCORE))
    return PageFigure.of_image(result.family.title, draw_detections(image, shown, spec))
