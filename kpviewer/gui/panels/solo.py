"""State of showing one class alone, and of the classes shown before. No Qt."""

from __future__ import annotations


class Solo:
    """Class that is shown alone, and the classes that were shown before."""

    def __init__(self) -> None:
        self._class_id: int | None = None
        self._before: frozenset[int] | None = None

    @property
    def class_id(self) -> int | None:
        """Id of the class that is shown alone; None if there is none."""
        return self._class_id

    def toggle(self, class_id: int, shown: frozenset[int] | None) -> frozenset[int] | None:
        """Return the classes to show: this one alone or, if it is already, those before."""
        if class_id == self._class_id:
            self._class_id = None
            return self._before
        self._before = self.lasting(
            shown
        )  # after one class alone and then another, the former classes return
        self._class_id = class_id
        return frozenset((class_id,))

    def lasting(self, shown: frozenset[int] | None) -> frozenset[int] | None:
        """Return the ids of the classes that are shown if none is alone."""
        return shown if self._class_id is None else self._before

    def forget(self) -> None:
        """Forget the classes that were shown before."""
        self._class_id = None
