"""Pairs the images of a YOLO set with their files of labels, and reports what is left over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kpviewer.annotations.fitting import fit_names
from kpviewer.annotations.problems import FITTED, NO_IMAGE, NO_LABEL_FOLDER, NO_LABELS, Problem

_OTHER_TEXTS = frozenset(("classes.txt", "train.txt", "val.txt", "test.txt", "readme.txt"))
_DIGITS = b"0123456789"


def paired(
    pairs: Sequence[tuple[Path, Path]], problems: list[Problem] | None
) -> list[tuple[Path, Path]]:
    """Fit files of labels to images whose own file is missing.

    Args:
        pairs: images with the files where their labels should be.
        problems: with a list, what has no counterpart is added to it.

    Returns:
        The pairs, some with the file of a name that differs a little.
    """
    bare = [row for row, (_, labels) in enumerate(pairs) if not os.path.lexists(labels)]
    used = {labels for _, labels in pairs}
    folders = dict.fromkeys(labels.parent for labels in used)
    orphans = [path for folder in folders for path in _labels_in(folder) if path not in used]
    names = [path.with_suffix(pairs[0][0].suffix) for path in orphans]
    fitted = fit_names(names, [pairs[row][0] for row in bare]) if orphans and bare else {}
    found = list(pairs)
    for orphan, place in fitted.items():
        found[bare[place]] = pairs[bare[place]][0], orphans[orphan]
    if problems is not None:
        taken = set(fitted.values())
        left = [pairs[row] for place, row in enumerate(bare) if place not in taken]
        problems += [
            Problem(FITTED, f"{orphans[orphan].name!r} is of {pairs[bare[place]][0].name!r}", False)
            for orphan, place in fitted.items()
        ]
        problems += [
            Problem(NO_IMAGE, str(path), is_error=False)
            for row, path in enumerate(orphans)
            if row not in fitted
        ]
        problems += _bare_problems(left)
    return found


def _bare_problems(bare: Sequence[tuple[Path, Path]]) -> list[Problem]:
    """Report images without labels: a whole folder once."""
    gone = dict.fromkeys(labels.parent for _, labels in bare if not labels.parent.is_dir())
    return [Problem(NO_LABEL_FOLDER, str(folder), is_error=False) for folder in gone] + [
        Problem(NO_LABELS, str(picture), is_error=False)
        for picture, labels in bare
        if labels.parent not in gone
    ]


def _labels_in(folder: Path) -> list[Path]:
    """Return the text files of a folder that begin as labels do."""
    try:
        texts = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".txt")
    except OSError:
        return []
    return [
        path
        for path in texts
        if path.name.lower() not in _OTHER_TEXTS and path.is_file() and _is_label(path)
    ]


def _is_label(path: Path) -> bool:
    if not path.is_file():  # a pipe would wait for ever
        return False
    try:
        with path.open("rb") as file:
            start = file.read(16).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    return not start or start[:1] in _DIGITS
