"""What ``process`` does about a live source that gives no picture."""

import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEngine
from sources.servers import mjpeg, serving

from kpviewer.cli.process import process_sources
from kpviewer.cli.process_job import ProcessOptions
from kpviewer.cli.signal_loss import LOST_S, NEVER_SEEN_S, SignalLoss
from kpviewer.errors import SourceError
from kpviewer.structures import PipelineState, PipelineStats, PipelineStatus


def status(lost_s: float | None, *, frames: int = 0, why: str | None = None) -> PipelineStatus:
    stats = PipelineStats(frames_read=frames)
    return PipelineStatus(
        PipelineState.RUNNING, None, stats, None, signal_lost_s=lost_s, warning=why
    )


def test_each_reason_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    signal = SignalLoss("camera")
    for why in ("It hung up.", "It refuses.", "It hung up."):
        signal.check(status(0.5, why=why))
        signal.check(status(None))
    said = capsys.readouterr().err.splitlines()
    assert [line.split(" Trying")[0] for line in said] == [
        "Warning: It hung up.",
        "Warning: It refuses.",
    ]


def test_silence_is_told_after_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    signal = SignalLoss("camera")
    signal.check(status(4.9))
    assert capsys.readouterr().err == ""
    for lost_s in (5.1, 9.0):
        signal.check(status(lost_s))
    assert capsys.readouterr().err.count("camera: no frame for 5 s") == 1


@pytest.mark.parametrize(("frames", "limit_s"), [(0, NEVER_SEEN_S), (1, LOST_S)])
def test_a_lost_source_is_given_up_in_the_end(frames: int, limit_s: float) -> None:
    signal = SignalLoss("camera")
    signal.check(status(limit_s - 1, frames=frames))
    with pytest.raises(SourceError, match="given up"):
        signal.check(status(limit_s + 1, frames=frames, why="It hung up."))


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("is_dead", [True, False], ids=["dead", "mute"])
def test_process_ends_with_what_it_has(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_dead: bool,
) -> None:
    for name, value in (("TELL_S", 0.1), ("NEVER_SEEN_S", 0.2), ("LOST_S", 0.2)):
        monkeypatch.setattr(f"kpviewer.cli.signal_loss.{name}", value)
    monkeypatch.setattr("kpviewer.pipeline.reader._STALL_S", 0.0)
    monkeypatch.setattr("kpviewer.pipeline.reader._STALL_FRAMES", 0.1)
    camera = mjpeg([np.full((48, 64, 3), 90, np.uint8)] * 12, stalls=not is_dead)
    answered = threading.Event()

    def serve(connection: socket.socket) -> None:
        if not answered.is_set():
            answered.set()
            camera(connection)

    with serving(serve) as port:
        address = f"http://127.0.0.1:{port}/live"
        options = ProcessOptions(tmp_path / "out", ("jsonl",))
        code = process_sources([address], options, engine=FakeEngine())
    said = capsys.readouterr()
    assert code == 3
    assert "given up" in said.err
    assert len(said.err.splitlines()) <= 4
    (results,) = (tmp_path / "out").iterdir()
    assert len(results.read_text().splitlines()) >= 2  # a header, and what came before
