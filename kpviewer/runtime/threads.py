"""The main thread, and the hook for errors that end a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

ThreadError: TypeAlias = threading.ExceptHookArgs


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
