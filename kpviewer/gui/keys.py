"""Every action of the window with its key: menus, tooltips and the help sheet read this table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a user can do."""

    text: str
    keys: tuple[str, ...]
    """In Qt's portable notation; the first is the one that is shown."""
    group: str
    repeats: bool = False
    """Whether holding the key repeats it."""


class Act(Enum):
    """The actions, in the order of the help sheet."""

    PLAY = Command("Play or pause", ("Space",), "Play")
    BACK = Command("Back 5 s", ("Left",), "Play", True)
    FORWARD = Command("Forward 5 s", ("Right",), "Play", True)
    STEP_BACK = Command("Previous frame", (",",), "Play", True)
    STEP_FORWARD = Command("Next frame", (".",), "Play", True)
    START = Command("To the start", ("Home",), "Play")
    SLOWER = Command("Slower", ("[",), "Play", True)
    FASTER = Command("Faster", ("]",), "Play", True)
    LOOP = Command("Loop", ("L",), "Play")
    REPEAT = Command("A-B loop: set A, set B, off", ("A",), "Play")
    OPEN_FILE = Command("Open file", ("Ctrl+O",), "Source")
    OPEN_FOLDER = Command("Open folder", ("Ctrl+Shift+O",), "Source")
    PASTE = Command("Paste an address or path", ("Ctrl+V",), "Source")
    OPEN_MODEL = Command("Open model", ("Ctrl+M",), "Source")
    RECORD = Command("Record", ("R",), "Save")
    SNAPSHOT = Command("Save a snapshot", ("S",), "Save")
    FIT = Command("Fit the picture", ("0",), "View")
    ZOOM_IN = Command("Zoom in", ("+", "="), "View", True)
    ZOOM_OUT = Command("Zoom out", ("-",), "View", True)
    FULLSCREEN = Command("Full screen", ("F", "F11"), "View")
    LEAVE = Command("Leave full screen", ("Esc",), "View")
    PANEL = Command("Side panel", ("P",), "View")
    PLOTS = Command("Plots", ("G",), "View")
    KEYS = Command("Show the keys", ("?", "F1"), "Help")
    QUIT = Command("Quit", ("Ctrl+Q",), "Help")


def tooltip(act: Act, text: str | None = None) -> str:
    """Give a tooltip that ends with the action's key."""
    return f"{text or act.value.text} ({act.value.keys[0]})"
