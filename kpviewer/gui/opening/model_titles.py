"""Names of models for people; those that come with kpviewer have words in place of file names."""

from __future__ import annotations

import logging
from pathlib import PurePath

from kpviewer.errors import KpviewerError
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.opening.larger_input import input_side, usual_input
from kpviewer.models.files.catalogue import available_models
from kpviewer.models.opening.weight_files import EVERYDAY_OBJECTS

_log = logging.getLogger(__name__)

TITLES = {
    "face-ssd": tr_noop("Faces and landmarks"),
    "two-stage:face-ssd+face-points": tr_noop("Faces, precise landmarks (slower)"),
    "cards-ssd": tr_noop("Playing cards"),
    "strip-grid": tr_noop("Marks on steel strips"),
    EVERYDAY_OBJECTS.model: tr_noop("Everyday objects"),
}
"""Titles by the names of the command line."""


def title_of(name: str) -> str | None:
    """Return the title of a model that comes with kpviewer; None for another one."""
    usual = usual_input(name) or name
    if usual not in TITLES:
        return None
    title, side = tr(TITLES[usual]), input_side(name)
    return title if side is None else f"{title} · {side} px"


def shipped_models() -> list[tuple[str, int]]:
    """Return names and numbers of classes of the shipped models; empty if they are unreadable."""
    try:
        return [(model.runnable_name, len(model.spec.class_names)) for model in available_models()]
    except KpviewerError as error:
        _log.warning("%s", error)
        return []


def short_name(name: str) -> str:
    """Return the title of a model, the name of a file without its folder, else the name."""
    path = PurePath(name)
    return title_of(name) or (path.name if path.is_absolute() else name)
