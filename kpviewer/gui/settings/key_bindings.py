"""Keys that the user changed: remembered in the settings, and shown wherever keys are."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QKeySequence

from kpviewer.config.settings import apply_changes
from kpviewer.gui.keys import Act, keys_of, use_keys
from kpviewer.gui.settings.store import SettingsStore


class KeyBindings(QObject):
    """The keys of a window, which its settings remember."""

    changed = pyqtSignal()
    """Emitted when actions have other keys."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        use_keys(own_keys(store.current.keys))

    @property
    def has_own(self) -> bool:
        """Whether any key differs from the usual ones."""
        return any(keys_of(act) != act.value.keys for act in Act)

    def set_key(self, act: Act, key: str) -> None:
        """Give an action a key in place of its shown one; another action loses it.

        ``key`` is in Qt's portable notation.
        """
        before = {each: keys_of(each) for each in Act}
        after = {each: tuple(x for x in keys if x != key) for each, keys in before.items()}
        after[act] = (key, *(x for x in before[act][1:] if x != key))
        self._use(after)

    def reset(self) -> None:
        """Give all actions their usual keys."""
        self._use({})

    def _use(self, keys: Mapping[Act, tuple[str, ...]]) -> None:
        own = {act: each for act, each in keys.items() if each != act.value.keys}
        use_keys(own)
        kept = {act.name.lower(): each for act, each in own.items()}
        now = self._store.current
        self._store.edit(partial(apply_changes, now, replace(now, keys=kept)))
        self.changed.emit()


def own_keys(kept: Mapping[str, tuple[str, ...]]) -> dict[Act, tuple[str, ...]]:
    """Return the valid keys among remembered ones; no key has two meanings.

    ``kept`` has the names of actions in lower case; others are ignored.
    """
    named = {act.name.lower(): act for act in Act}
    own: dict[Act, tuple[str, ...]] = {}
    taken: set[str] = set()
    for name, keys in kept.items():
        if name in named:
            valid = tuple(key for key in dict.fromkeys(keys) if is_key(key) and key not in taken)
            own[named[name]] = valid
            taken.update(valid)
    for act in Act:
        if act not in own and taken.intersection(act.value.keys):
            own[act] = tuple(key for key in act.value.keys if key not in taken)
    return own


def is_key(key: str) -> bool:
    """Return whether a text is one key in Qt's portable notation."""
    sequence = QKeySequence(key)
    return sequence.count() == 1 and sequence.toString() == key


def act_with(key: str) -> Act | None:
    """Return the action that a key runs; None if it is free."""
    return next((act for act in Act if key in keys_of(act)), None)
