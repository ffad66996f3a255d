"""One HTML page that holds its pictures itself, so that it can be sent or kept as one file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

PAGE = "report.html"

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c1e21; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.5rem }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: right }
td:first-child, th:first-child { text-align: left } tr + tr { border-top: 1px solid #e3e5e8 }
.figures, .worst { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0 } figcaption { font-size: 13px; color: #555; max-width: 26rem }
.worst img { max-width: 22rem; height: auto }
"""


def write_page(folder: Path, title: str, parts: Iterable[str]) -> Path:
    """Write ``FOLDER/report.html``.

    Args:
        folder: made if it isn't there.
        title: heading, not yet escaped.
        parts: HTML.

    Raises:
        OSError: if it can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAGE
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    body = f"<h1>{escape(title)}</h1>{''.join(parts)}"
    path.write_text(
        f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n',
        encoding="utf-8",
        errors="backslashreplace",  # names of files need not be text
    )
    return path


def figure(caption: str, image: bytes | None, kind: str = "png") -> str:
    """Show a picture with its caption; the caption alone where there is no picture."""
    shown = ""
    if image is not None:
        data = base64.b64encode(image).decode("ascii")
        shown = f'<img alt="{escape(caption)}" src="data:image/{kind};base64,{data}">'
    return f"<figure>{shown}<figcaption>{escape(caption)}</figcaption></figure>"


def row_of(kind: str, figures: Iterable[str]) -> str:
    """Put figures side by side: kind "figures" or "worst"."""
    return f'<div class="{kind}">{"".join(figures)}</div>'


def table(rows: Iterable[Sequence[str]]) -> str:
    """Lay out rows, the first of which is the head."""
    head, *body = rows
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in body)
    return f"<table><tr>{cells}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
