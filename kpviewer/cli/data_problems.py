"""Table of the problems of data sets, for ``kpviewer check-data`` and ``kpviewer train``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from kpviewer.annotations.problems import CURES, Problem
from kpviewer.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from kpviewer.annotations.checks import CheckedSet

EXAMPLES = 3
"""Number of examples shown for each kind of problem."""
GENERATED = "demo"
"""Specification of a recipe's own generated data, which need no check."""


def is_first_process() -> bool:
    """Return whether this is the one of torchrun's processes that prints, or the only one."""
    return os.environ.get("RANK", "0") == "0"


def checked_specs(
    training: Sequence[str], validation: str | None, *, skip_bad: bool
) -> tuple[list[str], str | None]:
    """Check the data of a run and print the problems.

    Returns:
        The same specifications; each set is in memory, without its bad entries.

    Raises:
        DatasetError: if there are errors and ``skip_bad`` is false, or nothing is left.
    """
    files = [spec for spec in training if spec != GENERATED]
    if not files:
        return list(training), validation
    sets = run_checks(files, validation)
    errors = sum(one.errors for one in sets)
    if is_first_process():
        for line in problem_lines(sets):
            click.echo(line, err=True)
    if errors and not skip_bad:
        raise DatasetError(
            f"The data have {counted(errors, 'error')}, listed above. Fix the data, or leave out "
            "bad entries with --skip-bad."
        )
    if errors and is_first_process():
        click.echo(f"Skipped: {skipped_text(sets)}.", err=True)
    usable = {one.spec: one.usable_spec for one in sets}
    usable_validation = None if validation is None else sets[-1].usable_spec
    return [usable.get(spec, spec) for spec in training], usable_validation


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, such as "1 error"."""
    return f"{count} {noun}{'s' * (count != 1)}"


def run_checks(training: Sequence[str], validation: str | None) -> list[CheckedSet]:
    """Check data sets, with a progress bar."""
    from tqdm import tqdm

    from kpviewer.annotations.checks import check_sets
    from kpviewer.sources.images.source import load_image

    def can_decode(path: Path) -> bool:
        return load_image(path) is not None

    with tqdm(unit=" images", desc="checking the data", disable=None, leave=False) as bar:
        return check_sets(training, validation, can_decode=can_decode, progress=bar.update)


def problem_lines(sets: Sequence[CheckedSet]) -> Iterator[str]:
    """Yield the lines of the table: one for each kind and set, with the first examples."""
    rows = [
        (what, one.spec, found) for one in sets for what, found in _by_kind(one.problems).items()
    ]
    if not rows:
        return
    width = max(len(what) for what, _, _ in rows)
    for what, spec, found in rows:
        level = "error" if found[0].is_error else "note"
        yield f"{level:5}  {what.ljust(width)}  {len(found):6}  {spec}"
        yield from (f"       - {problem.where}" for problem in found[:EXAMPLES])
        if len(found) > EXAMPLES:
            yield f"       ... and {len(found) - EXAMPLES} more"
        if cure := CURES.get(found[0].what):
            yield f"       {cure}"


def _by_kind(problems: Sequence[Problem]) -> dict[str, list[Problem]]:
    """Group problems by kind; errors and warnings of one kind are separate."""
    kinds: dict[tuple[bool, str], list[Problem]] = {}
    for problem in problems:
        kinds.setdefault((not problem.is_error, problem.what), []).append(problem)
    found: dict[str, list[Problem]] = {}
    for (is_note, what), own in sorted(kinds.items(), key=lambda item: item[0][0]):
        found[f"{what} (covered)" if is_note and what in found else what] = own
    return found


def skipped_text(sets: Sequence[CheckedSet]) -> str:
    """Return how many images and other entries are left out."""
    images = sum(one.images - len(one.annotations or ()) for one in sets)
    others = sum(one.errors for one in sets) - images
    return f"{counted(images, 'image')}, and {max(others, 0)} objects, points or entries"
