"""One class alone for a while, and the way back. No Qt."""

from __future__ import annotations


class Solo:
    """Remembers which classes were shown before one was shown alone."""

    def __init__(self) -> None:
        self._class_id: int | None = None
        self._before: frozenset[int] | None = None

    @property
    def class_id(self) -> int | None:
        """The class that is alone; None while there is none."""
        return self._class_id

    def toggle(self, class_id: int, shown: frozenset[int] | None) -> frozenset[int] | None:
        """Give the classes to show: this one alone; if it is so already, those from before.

        Args:
            class_id: the class that is asked for.
            shown: the classes that are shown now; None, here and below, is all.
        """
        if class_id == self._class_id:
            self._class_id = None
            return self._before
        self._before = self.lasting(shown)  # from one class alone to another: back leads to all
        self._class_id = class_id
        return frozenset((class_id,))

    def lasting(self, shown: frozenset[int] | None) -> frozenset[int] | None:
        """Give the classes that are shown, as if none were alone."""
        return shown if self._class_id is None else self._before

    def forget(self) -> None:
        """Take what is shown as it is: there is no way back."""
        self._class_id = None
