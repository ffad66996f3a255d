"""Playback of the streams of a grid: all together, or the enlarged one."""

from collections.abc import Callable, Iterable

from kpviewer.gui.controllers.playback import Playback
from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr
from kpviewer.gui.session import Session
from kpviewer.gui.views.timeline.bar import LIVE_SPEED
from kpviewer.gui.views.timeline.texts import speed_text


class GridPlayback:
    """Passes commands to the players of sessions; ``say`` reports what no tile shows."""

    def __init__(
        self, sessions: Callable[[], Iterable[Session]], say: Callable[[str], None]
    ) -> None:
        self._sessions, self._say = sessions, say

    def handlers(self) -> dict[Act, Callable[[], None]]:
        """Return the functions of the acts of playback."""
        return {
            Act.PLAY: self.toggle,
            Act.STEP_FORWARD: lambda: self._each(Playback.step_forward),
            Act.START: lambda: self._each(lambda player: player.seek(0)),
            Act.SLOWER: lambda: self.change_speed(-1),
            Act.FASTER: lambda: self.change_speed(1),
            Act.LOOP: self.toggle_loop,
        }

    def toggle(self) -> None:
        """Pause if any stream plays, else play all; those at their end play again."""
        players = self._players()
        is_playing = any(player.is_playing for player in players)
        for player in players:
            if player.is_playing is is_playing:
                player.toggle()

    def change_speed(self, direction: int) -> None:
        """Play all files at their next speed up (1) or down (-1)."""
        self._each(lambda player: player.change_speed(direction))
        infos = [(session.info, session.speed) for session in self._sessions()]
        speeds = [speed_text(speed) for info, speed in infos if info is None or not info.is_live]
        text = tr("Speed: {speeds}").format(speeds=", ".join(dict.fromkeys(speeds)))
        self._say(text if speeds else tr(LIVE_SPEED))

    def toggle_loop(self) -> None:
        """Loop all files, or none if all loop."""
        sessions = list(self._sessions())
        loop = not all(session.loops for session in sessions)
        for session in sessions:
            Playback(session).set_loop(loop)
        self._say(tr("Files begin again at their end.") if loop else tr("Files stop at their end."))

    def _each(self, act: Callable[[Playback], None]) -> None:
        for player in self._players():
            act(player)

    def _players(self) -> list[Playback]:
        return [Playback(session) for session in self._sessions()]
