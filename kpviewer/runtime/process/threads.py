"""The main thread, and the hook for errors that end a thread."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

ThreadError: TypeAlias = threading.ExceptHookArgs

_USUAL_S = sys.getswitchinterval()
_SHORT_S = 0.0005


def is_main_thread() -> bool:
    """Return whether the caller runs on the main thread."""
    return threading.current_thread() is threading.main_thread()


def set_thread_hook(hook: Callable[[ThreadError], object]) -> Callable[[ThreadError], object]:
    """Set the hook that a thread calls with an uncaught error that ends it.

    Returns:
        The previous hook.
    """
    before, threading.excepthook = threading.excepthook, hook
    return before


@contextmanager
def short_turns() -> Iterator[None]:
    """Let threads hold Python's lock for 0.5 ms at a time instead of 5, while others have to work.

    A window asks for the lock many times for an image. Beside a thread that loads a model, it
    waited up to 0.1 s in all. Short turns take about a tenth more processor time.
    """
    sys.setswitchinterval(_SHORT_S)
    try:
        yield
    finally:
        sys.setswitchinterval(_USUAL_S)  # not that of before: two threads may load at once
