"""``process`` with a live source without signal."""

import socket
import threading

import numpy as np
import pytest
from fakes import FakeEngine
from sources.servers import mjpeg, serving

from kpviewer.cli.process import process_sources
from kpviewer.processing.options import ProcessOptions


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("is_dead", [True, False], ids=["dead", "mute"])
def test_process_ends_with_the_results_so_far(tmp_path, monkeypatch, capsys, is_dead):
    for name, value in (("WARN_S", 0.1), ("NEVER_SEEN_S", 0.2), ("LOST_S", 0.2)):
        monkeypatch.setattr(f"kpviewer.pipeline.source.signal_loss.{name}", value)
    monkeypatch.setattr("kpviewer.pipeline.source.reader._STALL_S", 0.0)
    monkeypatch.setattr("kpviewer.pipeline.source.reader._STALL_FRAMES", 0.1)
    monkeypatch.setattr("kpviewer.pipeline.source.pacing.RECONNECT_DELAYS_S", (0.01,))
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
    assert len(said.err.splitlines()) <= 5
    assert ("tried to reconnect" in said.err) == is_dead
    assert "reconnected" not in said.err
    (results,) = (tmp_path / "out").iterdir()
    assert len(results.read_text().splitlines()) >= 2  # a header, and what came before
