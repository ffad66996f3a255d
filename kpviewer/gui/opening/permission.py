"""Which functions of a module a window may run as models. No Qt.

A model named ``module:function`` is code. The command line may name it; settings, profiles, recent
items, the clipboard and what is dropped may not, unless the user agrees. The loaders ask here last.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder

from kpviewer.errors import WeightsError
from kpviewer.models.names import code_in


class CodePermission:
    """The functions that may run.

    Args:
        names: of models, from the command line; what they run is permitted.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._allowed: set[str] = set()
        for name in names:
            self.allow(name)

    def allow(self, name: str) -> None:
        """Permit what a model of this name runs."""
        self._allowed.update(code_in(name))

    def missing(self, name: str) -> list[str]:
        """List the functions that a model of this name would run and that aren't permitted."""
        return [code for code in code_in(name) if code not in self._allowed]

    def check(self, name: str) -> None:
        """Raise WeightsError where a model of this name would run what isn't permitted."""
        missing = self.missing(name)
        if missing:
            raise WeightsError(
                f"{', '.join(missing)} is code, which only the command line may name. "
                "Start kpviewer with --model, or choose it in the menu."
            )


def file_of(code: str) -> str | None:
    """Find the file whose import ``module:function`` asks for, without importing anything.

    Returns:
        Its path; None where there is none, or none that can be seen without running code.
    """
    places: list[str] | None = [*sys.path, os.getcwd()]
    found, name = None, ""
    for part in code.partition(":")[0].split("."):
        name = f"{name}.{part}".lstrip(".")
        found = PathFinder.find_spec(name, places)
        if found is None:
            return None
        places = list(found.submodule_search_locations or ())
    if found is None:
        return None
    return found.origin or next(iter(places or ()), None)
