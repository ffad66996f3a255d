"""When lanes, scores and suspects are calculated. No Qt, no thread."""

from collections.abc import Callable
from enum import Enum

REST_S = 0.2
"""Time without an edit after which suspects are looked for, s."""
SHARE = 4
"""New frames make a calculation wait for this many times the time that the last one took."""


class Stage(Enum):
    """Calculations, the most urgent one first, with the least time between two for new frames."""

    LANES = 0.1
    SCORES = 0.25
    SUSPECTS = 1.0


class Schedule:
    """Says which calculation is to begin when.

    An edit makes lanes due at once, new frames a few times a second. Scores and suspects are made
    of what the last lanes were made of, one after the other, beside the next lanes. What came
    since the lanes is for the next scores: a slider that moves on and on doesn't put them off.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due_s: dict[Stage, float] = {}
        self._needs: dict[Stage, int] = {}
        """News that a calculation must know of."""
        self._running: set[Stage] = set()
        self._begun_s = dict.fromkeys(Stage, 0.0)
        self._cost_s = dict.fromkeys(Stage, 0.0)
        self._news = 0
        """Number of frames and edits that came."""
        self._lanes_begun = 0
        """That number when the last lanes began."""
        self._lanes_made: int | None = None
        """That number when the last lanes that were finished began; None if they are outdated."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs or is due."""
        return not self._due_s and not self._running

    @property
    def wait_s(self) -> float | None:
        """Time until a calculation may begin, 0 at least; None if nothing but news begins one."""
        due_s = [each for stage, each in self._due_s.items() if self._can_run(stage)]
        return max(min(due_s) - self._clock(), 0.0) if due_s else None

    def forget(self) -> None:
        """Let nothing be due."""
        self._due_s.clear()
        self._needs.clear()

    def begin_again(self) -> None:
        """Note another source or model: the last lanes are of no use."""
        self._lanes_made = None
        self.note_edit()

    def note_edit(self) -> None:
        """Note that everything is to be calculated anew."""
        self._news += 1
        now_s = self._clock()
        self.want(Stage.LANES)
        self.want(Stage.SCORES)
        self.want(Stage.SUSPECTS)
        self._due_s[Stage.SUSPECTS] = now_s + REST_S

    def note_frames(self) -> None:
        """Note new frames."""
        self._news += 1
        for stage in Stage:
            self.want(stage, self._next_s(stage))

    def want(self, stage: Stage, due_s: float | None = None) -> None:
        """Let a calculation begin at a time, or now."""
        due_s = self._clock() if due_s is None else due_s
        self._due_s[stage] = min(self._due_s.get(stage, due_s), due_s)
        self._needs.setdefault(stage, self._news)

    def want_later(self, stage: Stage) -> None:
        """Let a calculation that was given up begin again, once the user rests."""
        self.want(stage, self._clock() + REST_S)

    def due(self) -> list[Stage]:
        """Return the calculations to begin now, the most urgent one first."""
        now_s = self._clock()
        due = [each for each in Stage if each in self._due_s and self._due_s[each] <= now_s]
        due = [stage for stage in due if self._can_run(stage)]
        slow = [stage for stage in due if stage is not Stage.LANES]
        return [stage for stage in due if stage not in slow[1:]]

    def begin(self, stage: Stage) -> None:
        """Note that a calculation begins."""
        del self._due_s[stage], self._needs[stage]
        self._running.add(stage)
        self._begun_s[stage] = self._clock()
        if stage is Stage.LANES:
            self._lanes_begun = self._news
        elif self._lanes_made is not None and self._news > self._lanes_made:
            self.want(stage, self._next_s(stage))

    def end(self, stage: Stage, *, is_good: bool) -> None:
        """Note that a calculation has ended, and whether its result counts."""
        self._running.discard(stage)
        self._cost_s[stage] = self._clock() - self._begun_s[stage]
        if stage is Stage.LANES and is_good:
            self._lanes_made = self._lanes_begun

    def _next_s(self, stage: Stage) -> float:
        """Return when a calculation may begin again for new frames."""
        return self._begun_s[stage] + max(stage.value, SHARE * self._cost_s[stage])

    def _can_run(self, stage: Stage) -> bool:
        if stage is Stage.LANES:
            return stage not in self._running
        is_free = not self._running - {Stage.LANES}
        made = self._lanes_made
        return is_free and made is not None and made >= self._needs[stage]
