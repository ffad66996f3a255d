"""The user's own model: ``package.module:function``, which returns a Detector.

This runs the user's code, as requested. No other part of kpviewer does.
"""

import importlib
import os
import sys

from torch import nn

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.libraries.inference import block_reports
from kpviewer.models.spec import ModelSpec, checked

CONTRACT = "a Detector has spec (a ModelSpec), network (an nn.Module) and decode(raw, input_hw)"


def open_factory(name: str) -> Detector:
    """Import a module, call its function without arguments and check the Detector that it returns.

    The current folder is searched too, after all installed packages.

    Raises:
        WeightsError: if the import or the call fails, or the result isn't a Detector.
    """
    block_reports()  # the module may import such a library by itself
    module_name, _, function_name = name.partition(":")
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.append(folder)  # for good: the function may import later
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # the user's module may raise anything
        raise WeightsError(
            f"{module_name} can't be imported: {_reason(error)}. Install it, or start kpviewer in "
            "the folder that holds it."
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise WeightsError(
            f"{module_name} must have a function {function_name!r} that returns a Detector, got "
            f"{'no such name' if function is None else type(function).__name__}."
        )
    try:
        made = function()
    except (Exception, SystemExit) as error:  # the user's function may raise anything
        raise WeightsError(
            f"{name}() failed: {_reason(error)}. It is called with no arguments."
        ) from error
    return checked_detector(f"{name}()", "return", made)


def checked_detector(subject: str, verb: str, made: object) -> Detector:
    """Check that an object is a Detector, and return it in evaluation mode.

    Args:
        subject: subject of the messages, such as a name.
        verb: verb after "must" in the messages: "be" or "return".
        made: any object.

    Raises:
        WeightsError: if an attribute is missing or has the wrong type.
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
            f"{', '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} missing or of the wrong "
            f"type: {CONTRACT}."
        )
    assert isinstance(network, nn.Module)
    checked(made.spec, subject, "Correct its ModelSpec.")  # type: ignore[attr-defined]
    network.eval()
    return made  # type: ignore[return-value]  # checked above


def _reason(error: BaseException) -> str:
    """Return the first line of an error, with its class."""
    if isinstance(error, SystemExit):
        return f"it exits the program (sys.exit({error.code!r})), as a script does"
    text = (str(error).splitlines() or [""])[0][:200]
    return f"{type(error).__name__}: {text}".removesuffix(": ")
