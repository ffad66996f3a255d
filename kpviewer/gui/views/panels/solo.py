"""State of showing one class alone, and of the classes shown before. No Qt."""

from __future__ import annotations


class Solo:
    """Class that is shown alone, and the classes that were shown before."""

    def __init__(self) -> None:
        self.class_id: int | None = None
        """Id of the class that is shown alone; None if there is none."""
        self._before: frozenset[int] | None = None

    def toggle(self, class_id: int, shown: frozenset[int] | None) -> frozenset[int] | None:
        """Return the classes to show: this one alone or, if it is already, those before."""
        if class_id == self.class_id:
            self.class_id = None
            return self._before
        self._before = self.lasting(
            shown
        )  # after one class alone and then another, the former classes return
        self.class_id = class_id
        return frozenset((class_id,))

    def lasting(self, shown: frozenset[int] | None) -> frozenset[int] | None:
        """Return the ids of the classes that are shown if none is alone."""
        return shown if self.class_id is None else self._before

    def forget(self) -> None:
        """Forget the classes that were shown before."""
        self.class_id = None
