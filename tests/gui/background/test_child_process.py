"""Commands that run beside the window."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from kpviewer.gui.background.child_process import ChildEnd, ChildProcess, failure_in, own_command


@pytest.fixture
def child(qapp) -> Iterator[ChildProcess]:
    child = ChildProcess((sys.executable, "-c"))
    yield child
    child.close()


def run(qtbot, child: ChildProcess, code: str) -> ChildEnd:
    with qtbot.waitSignal(child.ended) as ended:
        child.start([code])
    assert not child.is_running
    return ended.args[0]


def test_progress_and_lines_are_reported_in_order(qtbot, child):
    progress, lines = [], []
    child.progressed.connect(lambda *args: progress.append(args))
    child.line_came.connect(lines.append)
    code = """print('{"frames": 3, "total": null}'); print('clip.mp4: 3 frames')
print('{"frames": 5, "total": 9}'); print('{"frames": -1}'); print('last', end='')"""
    assert run(qtbot, child, code) == ChildEnd(None)
    assert progress == [(3, None), (5, 9)]
    assert lines == ["clip.mp4: 3 frames", '{"frames": -1}', "last"]


def test_the_error_on_stderr_is_the_failure(qtbot, child):
    code = """import sys
print('Note: something', file=sys.stderr)
print('Error: clip.mp4 is empty. Choose another.', file=sys.stderr)
print('Note: and more', file=sys.stderr)
sys.exit(3)"""
    assert run(qtbot, child, code) == ChildEnd("clip.mp4 is empty. Choose another.")
    assert run(qtbot, child, "raise SystemExit(3)") == ChildEnd("It ended unexpectedly (3).")
    assert run(qtbot, child, "print()") == ChildEnd(None)


def test_secrets_of_addresses_are_hidden_in_failures():
    assert "hunter2" not in failure_in(b"Error: rtsp://me:hunter2@cam/ is gone.\n")


def test_warnings_are_no_failures():
    assert failure_in(b"Note: continuing\nWarning: a.mp4: slow. Still waiting.\n") == ""


def test_a_command_that_is_not_there_fails(qtbot, qapp):
    child = ChildProcess(("/nowhere/kpviewer",))
    with qtbot.waitSignal(child.ended) as ended:
        child.start([])
    assert ended.args[0].failure.startswith("It can't be started: ")


def test_a_name_that_is_no_text_is_not_handed_over_as_another(qtbot, child):
    with qtbot.waitSignal(child.ended) as ended:
        child.start([os.fsdecode(b"--scan=clip\xff.mp4")])
    assert "Rename" in ended.args[0].failure and not child.is_running


def test_cancelling_lets_the_process_finish_its_files(qtbot, child):
    code = """import signal, sys
def end(*_):
    print('finished'); sys.exit(143)
signal.signal(signal.SIGTERM, end)
print('ready')
signal.pause()"""
    lines = []
    child.line_came.connect(lines.append)
    child.line_came.connect(lambda line: child.cancel() if line == "ready" else None)
    assert run(qtbot, child, code) == ChildEnd(None, was_cancelled=True)
    assert lines == ["ready", "finished"]


def test_the_process_gives_way_to_other_programs(qtbot, child):
    code = "import sys; print('ready'); sys.stdout.flush(); import signal; signal.pause()"
    with qtbot.waitSignal(child.line_came):
        child.start([code])
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, child.process_id) == min(own + 10, 19)


def test_the_process_ends_with_the_window(qtbot, child):
    ended = []
    child.ended.connect(ended.append)
    with qtbot.waitSignal(child.line_came):
        child.start(["print('ready', flush=True); import signal; signal.pause()"])
    number = child.process_id
    child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(number, signal.SIGCONT)
    assert not ended


def test_the_own_command_runs_this_kpviewer_and_nothing_of_the_present_folder(
    qtbot, qapp, tmp_path, monkeypatch
):
    (tmp_path / "click.py").write_text("raise SystemExit('code of the present folder')")
    monkeypatch.chdir(tmp_path)
    child, lines = ChildProcess(own_command()), []
    child.line_came.connect(lines.append)
    with qtbot.waitSignal(child.ended) as ended:
        child.start(["--version"])
    assert ended.args[0] == ChildEnd(None)
    assert lines[0].startswith("kpviewer, version ")
