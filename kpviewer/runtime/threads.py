"""What happens to an error that ends a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

ThreadError: TypeAlias = threading.ExceptHookArgs


def set_thread_hook(hook: Callable[[ThreadError], object]) -> None:
    """Call ``hook`` with what ended a thread that caught nothing, in that thread."""
    threading.excepthook = hook
