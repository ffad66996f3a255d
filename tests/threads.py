"""The application's threads."""

import threading


def live_threads() -> list[threading.Thread]:
    """Return the application's threads that are running."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("kpviewer-")]
