"""Table of the window's actions and keys, read by menus, tooltips and the help sheet."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from kpviewer.gui.language import tr, tr_noop

GROUPS = (
    tr_noop("Play"),
    tr_noop("Source"),
    tr_noop("Save"),
    tr_noop("View"),
    tr_noop("Help"),
)


@dataclass(frozen=True, slots=True)
class Command:
    """Name, keys and group of one action."""

    text: str
    keys: tuple[str, ...]
    """Usual keys in Qt's portable notation; the first one is shown."""
    group: str
    """Heading in the help sheet: one of ``GROUPS``."""
    repeats: bool = False
    """Whether holding the key repeats the action."""


class Act(Enum):
    """Actions of the window, in the order of the help sheet."""

    PLAY = Command(tr_noop("Play or pause"), ("Space",), "Play")
    BACK = Command(tr_noop("Back 5 s"), ("Left",), "Play", True)
    FORWARD = Command(tr_noop("Forward 5 s"), ("Right",), "Play", True)
    STEP_BACK = Command(tr_noop("Previous frame"), (",",), "Play", True)
    STEP_FORWARD = Command(tr_noop("Next frame"), (".",), "Play", True)
    START = Command(tr_noop("To the start"), ("Home",), "Play")
    SLOWER = Command(tr_noop("Slower"), ("[",), "Play", True)
    FASTER = Command(tr_noop("Faster"), ("]",), "Play", True)
    LOOP = Command(tr_noop("Loop"), ("L",), "Play")
    REPEAT = Command(tr_noop("A-B loop: set A, set B, off"), ("A",), "Play")
    GO_TO = Command(tr_noop("Go to a frame or time"), ("Ctrl+G",), "Play")
    MARK = Command(tr_noop("Mark or unmark this frame"), ("M",), "Play")
    NEXT_MARK = Command(tr_noop("Next mark or worst frame"), ("N",), "Play", True)
    PREVIOUS_MARK = Command(tr_noop("Previous mark or worst frame"), ("Shift+N",), "Play", True)
    OPEN_FILE = Command(tr_noop("Open file"), ("Ctrl+O",), "Source")
    OPEN_FOLDER = Command(tr_noop("Open folder"), ("Ctrl+Shift+O",), "Source")
    OPEN_URL = Command(tr_noop("Open URL"), ("Ctrl+U",), "Source")
    PASTE = Command(tr_noop("Paste an address or path"), ("Ctrl+V",), "Source")
    OPEN_GROUND_TRUTH = Command(tr_noop("Open annotations"), ("Ctrl+T",), "Source")
    OPEN_MODEL = Command(tr_noop("Open model"), ("Ctrl+M",), "Source")
    SCAN = Command(tr_noop("Scan the whole source, or stop"), ("Shift+S",), "Source")
    RECORD = Command(tr_noop("Record"), ("R",), "Save")
    PAUSE_RECORDING = Command(tr_noop("Pause recording"), ("Shift+R",), "Save")
    SPLIT_RECORDING = Command(tr_noop("Split the recording"), ("Ctrl+R",), "Save")
    SNAPSHOT = Command(tr_noop("Save a snapshot"), ("S",), "Save")
    COPY_IMAGE = Command(tr_noop("Copy the image"), ("Ctrl+Shift+C",), "Save")
    EXPORT = Command(tr_noop("Export annotated video"), ("Ctrl+Shift+E",), "Save")
    FIT = Command(tr_noop("Fit the image"), ("0",), "View")
    ZOOM_IN = Command(tr_noop("Zoom in"), ("+", "="), "View", True)
    ZOOM_OUT = Command(tr_noop("Zoom out"), ("-",), "View", True)
    ACTUAL_SIZE = Command(tr_noop("Actual size"), ("1",), "View")
    ZOOM_OBJECT = Command(tr_noop("Zoom to the object"), ("Z",), "View")
    FULLSCREEN = Command(tr_noop("Full screen"), ("F", "F11"), "View")
    LEAVE = Command(tr_noop("Leave full screen"), ("Esc",), "View")
    PANEL = Command(tr_noop("Side panel"), ("P",), "View")
    PLOTS = Command(tr_noop("Plots"), ("G",), "View")
    TABLE = Command(tr_noop("Table of detections"), ("T",), "View")
    KEYS = Command(tr_noop("Show the keys"), ("?", "F1"), "Help")
    QUIT = Command(tr_noop("Quit"), ("Ctrl+Q",), "Help")


_own: dict[Act, tuple[str, ...]] = {}
"""Keys that differ from the usual ones; one window at a time has keys."""


def keys_of(act: Act) -> tuple[str, ...]:
    """Return the keys of an action, the shown one first; empty if it has none."""
    return _own.get(act, act.value.keys)


def key_of(act: Act) -> str:
    """Return the shown key of an action; empty if it has none."""
    return next(iter(keys_of(act)), "")


def use_keys(own: Mapping[Act, tuple[str, ...]]) -> None:
    """Use these keys in place of the usual ones, and the usual ones for all other actions."""
    _own.clear()
    _own.update(own)


def with_key(act: Act, text: str | None = None) -> str:
    """Return the text of a menu's entry, the action's own or another, with its key on the right."""
    shown, key = text or tr(act.value.text), key_of(act)
    return f"{shown}\t{key}" if key else shown


_tips: dict[str, tuple[Act, str, tuple[Act, ...]]] = {}
"""Arguments of each tooltip that was made, by its text."""


def tooltip(act: Act, text: str | None = None, *others: Act) -> str:
    """Return a tooltip that ends with the action's key, and those of others if it has several."""
    shown = text or tr(act.value.text)
    keys = " ".join(key for each in (act, *others) if (key := key_of(each)))
    tip = f"{shown} ({keys})" if keys else shown
    _tips[tip] = act, shown, others
    return tip


def with_present_keys(tip: str) -> str:
    """Return a tooltip with the keys that its actions have now; one without actions as it is."""
    return tooltip(made[0], made[1], *made[2]) if (made := _tips.get(tip)) is not None else tip
