"""A user's own model: ``package.module:function``, called without arguments, gives a Detector.

This runs the user's code, as asked; nothing else in kpviewer does.
"""

from __future__ import annotations

import importlib
import os
import sys

from torch import nn

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.inference_libraries import block_reports
from kpviewer.models.spec import ModelSpec, checked

CONTRACT = "a Detector has spec (a ModelSpec), network (an nn.Module) and decode(raw, input_hw)"


def open_factory(name: str) -> Detector:
    """Import a module, call its function and check what it gives.

    The current folder is searched too, after everything that is installed.

    Args:
        name: ``package.module:function``.

    Raises:
        WeightsError: if the import or the call fails, or the outcome isn't a Detector.
    """
    block_reports()  # the module may import such a library by itself
    module_name, _, function_name = name.partition(":")
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.append(folder)  # and it stays: what is called may import later
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever the user's module raises
        raise WeightsError(
            f"{module_name} can't be imported: {_told(error)}. Install it, or start kpviewer in "
            "the folder that holds it."
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise WeightsError(
            f"{module_name} must have a function {function_name!r} that gives a Detector, got "
            f"{'nothing of that name' if function is None else type(function).__name__}."
        )
    try:
        made = function()
    except (Exception, SystemExit) as error:  # whatever the user's function raises
        raise WeightsError(
            f"{name}() failed: {_told(error)}. It is called with no arguments."
        ) from error
    return checked_detector(f"{name}()", "give", made)


def checked_detector(subject: str, verb: str, made: object) -> Detector:
    """Return an object whose parts are those of a Detector, ready to detect.

    Args:
        subject: beginning of the messages: what must be a Detector.
        verb: what follows "must": "be", "give".
        made: any object.

    Raises:
        WeightsError: if a part is missing or of another kind.
    """
    wrong = []
    if not isinstance(getattr(made, "spec", None), ModelSpec):
        wrong.append("spec")
    network = getattr(made, "network", None)
    if not isinstance(network, nn.Module):
        wrong.append("network")
    if not callable(getattr(made, "decode", None)):
        wrong.append("decode")
    if wrong:
        raise WeightsError(
            f"{subject} must {verb} a Detector, got a {type(made).__name__} whose "
            f"{', '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} missing or of another kind: "
            f"{CONTRACT}."
        )
    assert isinstance(network, nn.Module)
    checked(made.spec, subject, "Correct its ModelSpec.")  # type: ignore[attr-defined]
    network.eval()
    return made  # type: ignore[return-value]  # checked above


def _told(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it ends the program (sys.exit({error.code!r})), as a script does"
    text = (str(error).splitlines() or [""])[0][:200]
    return f"{type(error).__name__}: {text}".removesuffix(": ")
