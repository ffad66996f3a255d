"""Which thread this is, and what happens to an error that ends one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

ThreadError: TypeAlias = threading.ExceptHookArgs


def is_main_thread() -> bool:
    """Whether the caller runs on the main thread."""
    return threading.current_thread() is threading.main_thread()


def set_thread_hook(hook: Callable[[ThreadError], object]) -> Callable[[ThreadError], object]:
    """Call ``hook`` with what ended a thread that caught nothing, in that thread.

    Returns:
        The hook that was set before.
    """
    before, threading.excepthook = threading.excepthook, hook
    return before
