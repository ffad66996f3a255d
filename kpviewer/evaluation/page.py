"""A report as one HTML file with its images inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kpviewer.evaluation.text import Table
from kpviewer.structures import ImageArray

PAGE = "report.html"
TEMPLATE = "report.html.jinja"


class PageFigure(NamedTuple):
    """An image with its caption."""

    caption: str
    url: str | None
    """data: URL of the image; None: only the caption is shown."""

    @classmethod
    def of_png(cls, caption: str, png: bytes) -> PageFigure:
        """Make a figure of a PNG file."""
        return cls(caption, _data_url("png", png))

    @classmethod
    def of_image(cls, caption: str, bgr: ImageArray | None) -> PageFigure:
        """Make a figure of (H, W, 3) uint8 pixels, as JPEG."""
        if bgr is None:
            return cls(caption, None)
        from matplotlib.image import imsave  # noqa: PLC0415 - only reports have images

        imsave(stream := io.BytesIO(), np.ascontiguousarray(bgr[..., ::-1]), format="jpeg")
        return cls(caption, _data_url("jpeg", stream.getvalue()))


@dataclass(frozen=True, slots=True)
class Page:
    """Content of the page; texts aren't escaped yet."""

    title: str
    lead: str
    tables: Sequence[Table]
    figures: Sequence[PageFigure]
    worst: Sequence[PageFigure]
    worst_note: str
    notes: Sequence[str] = ()
    """What is left out of the scores, or can't be right."""


def html_templates(folder: Path) -> Environment:
    """Return the templates of a folder; texts are escaped, and a missing value is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_page(folder: Path, page: Page) -> Path:
    """Write ``FOLDER/report.html``.

    Raises:
        OSError: if it can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAGE
    text = html_templates(Path(__file__).parent).get_template(TEMPLATE).render(page=page)
    # file names may contain bytes that aren't text
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def _data_url(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
