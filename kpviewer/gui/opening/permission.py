"""Permission to run code as models: functions of Python modules, TensorRT engines. No Qt.

A model named ``module:function``, and an ``.engine``, is code. The command line may name it.
Settings, profiles, recent items, the clipboard and drops may not, unless the user agrees. The
loaders check it last.
"""

import os
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder

from kpviewer.errors import WeightsError
from kpviewer.models.names.models import code_in


class CodePermission:
    """Set of the functions that may run."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._allowed: set[str] = set()
        for name in names:
            self.allow(name)

    def allow(self, name: str) -> None:
        """Permit the functions that a model of this name runs."""
        self._allowed.update(code_in(name))

    def missing(self, name: str) -> list[str]:
        """List the functions that a model of this name runs and that aren't permitted."""
        return [code for code in code_in(name) if code not in self._allowed]

    def check(self, name: str) -> None:
        """Raise WeightsError if a model of this name runs a function that isn't permitted."""
        missing = self.missing(name)
        if missing:
            raise WeightsError(
                f"{', '.join(missing)} is code, which only the command line may name. "
                "Start kpviewer with --model, or choose it in the menu."
            )


def file_of(code: str) -> str | None:
    """Find the file that ``module:function`` would import, without importing anything.

    Returns:
        Path of the file; None if it can't be found without running code.
    """
    folders: list[str] | None = [*sys.path, os.getcwd()]
    found, name = None, ""
    for part in code.partition(":")[0].split("."):
        name = f"{name}.{part}".lstrip(".")
        found = PathFinder.find_spec(name, folders)
        if found is None:
            return None
        folders = list(found.submodule_search_locations or ())
    if found is None:
        return None
    return found.origin or next(iter(folders or ()), None)
