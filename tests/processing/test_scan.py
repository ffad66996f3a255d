import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fakes import eventually
from sample_clips import BoxEngine, make_clip

from kpviewer.cli import process
from kpviewer.cli.main import main
from kpviewer.cli.process import process_sources
from kpviewer.config import files as config_files
from kpviewer.errors import ScanError, SourceError
from kpviewer.overlay import OverlayStyle, qimage_of
from kpviewer.processing.options import ProcessOptions
from kpviewer.scanning.cache import cached_path
from kpviewer.scanning.columns import CandidateColumns, concatenated
from kpviewer.scanning.fingerprint import fingerprint_of
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.scan_file import ScanReader, chunks_of, open_scan
from kpviewer.scanning.scan_writer import ScanWriter
from kpviewer.sources.turn import Turn
from kpviewer.structures import Candidates, ImageArray

pytestmark = pytest.mark.usefixtures("qapp")

FRAMES = 30


class ScanEngine(BoxEngine):
    """Engine whose two boxes move with the brightness of the image; it counts its images."""

    def __init__(self, model_hash: str | None = "ab" * 32) -> None:
        self.model_hash = model_hash
        self.backend, self.precision, self.device_name = "torch", "fp32", "CPU"
        self.seen = 0

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        self.seen += 1
        left = np.float32(bgr.mean() / 10)
        boxes = np.array([[left, 10, left + 20, 30], [left + 2, 10, left + 21, 29]], np.float32)
        scores = np.array([[0.9 - left / 100], [0.06]], np.float32)
        found = Candidates(boxes, scores, np.zeros((2, 0, 2), np.float32), size_wh=bgr.shape[1::-1])
        return found, (1.0, 1.0, 1.0)


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return make_clip(tmp_path / "clip.mp4", frames=FRAMES)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def scan(
    source: str,
    out: Path,
    *outputs: str,
    engine: ScanEngine | None = None,
    json_progress: bool = False,
    **given: object,
) -> tuple[int, int]:
    """Scan a source; return the exit code, and how many frames the model ran on."""
    engine = engine or ScanEngine()
    options = ProcessOptions(out, outputs, **{"scans": True, **given})
    code = process_sources([source], options, engine=engine, json_progress=json_progress)
    return code, engine.seen


def read(path: Path) -> tuple[ScanReader, CandidateColumns]:
    reader = open_scan(path)
    return reader, concatenated([each.columns for each in chunks_of(reader)])


def cut(path: Path, whole_frames: int) -> None:
    """Leave the frames up to a number, and a torn record, as after a crash."""
    reader, columns = read(path)
    path.unlink()
    writer = ScanWriter(path, reader.header)
    for row in range(whole_frames):
        writer.append(ScanChunk(columns.take(np.array([row]))))
    writer.close()
    with path.open("ab") as file:
        file.write(b"\x10\x01\x00\x00torn")


def test_a_scan_alone_has_every_frame_and_no_video(clip, out):
    assert scan(clip, out) == (0, FRAMES)
    assert [path.name for path in out.iterdir()] == ["clip.kpv"]
    reader, columns = read(out / "clip.kpv")
    assert reader.is_complete and reader.header is not None
    head = reader.header
    assert columns.frame_index.tolist() == list(range(FRAMES))
    assert columns.position_s == pytest.approx(np.arange(FRAMES) / 10)
    assert (head.source, head.frame_count, head.fps) == ("clip.mp4", FRAMES, 10.0)
    assert (head.backend, head.precision, head.floor) == ("torch", "fp32", 0.05)
    assert head.spec == ScanEngine.spec
    assert len(columns.xyxy) == 2 * FRAMES


@pytest.mark.parametrize("turn", [Turn(90), Turn(90, is_mirrored=True)])
def test_a_scan_of_rotated_frames_fits_the_same_rotation_alone(clip, out, capsys, turn):
    assert scan(clip, out, turn=turn) == (0, FRAMES)
    file = out / "clip.kpv"
    assert read(file)[1].size_wh[0].tolist() == [48, 64]
    assert scan(clip, out, "csv", scans=False, from_scan=file, turn=turn) == (0, 0)
    refused, _ = scan(clip, out, "csv", scans=False, from_scan=file)
    assert refused == ScanError.exit_code
    assert "rotated or mirrored otherwise" in capsys.readouterr().err
    assert scan(clip, out) == (0, FRAMES)
    assert len(list(out.glob("*.kpv"))) == 2


def test_a_scan_that_was_cut_is_continued_where_it_ended(clip, out, capsys):
    scan(clip, out)
    _, whole = read(out / "clip.kpv")
    cut(out / "clip.kpv", 12)
    assert scan(clip, out) == (0, FRAMES - 12)
    assert "clip.kpv after 12 of 30 frames" in capsys.readouterr().err
    reader, columns = read(out / "clip.kpv")
    assert reader.is_complete
    for name in ("frame_index", "position_s", "xyxy", "entry_scores", "starts"):
        np.testing.assert_array_equal(getattr(columns, name), getattr(whole, name))


def test_a_complete_scan_is_reported_and_not_run_again(clip, out, capsys):
    scan(clip, out)
    before = (out / "clip.kpv").read_bytes()
    assert scan(clip, out) == (0, 0)
    assert "is complete (30 frames)" in capsys.readouterr().out
    assert (out / "clip.kpv").read_bytes() == before


def test_a_scan_that_lacks_only_its_end_is_completed(clip, out):
    scan(clip, out)
    cut(out / "clip.kpv", FRAMES)
    assert scan(clip, out)[0] == 0
    reader, columns = read(out / "clip.kpv")
    assert reader.is_complete and len(columns) == FRAMES


def test_other_files_have_every_frame_though_the_scan_is_continued(clip, out):
    scan(clip, out)
    cut(out / "clip.kpv", 12)
    assert scan(clip, out, "csv") == (0, FRAMES - 12)
    assert len((out / "clip.csv").read_text().splitlines()) == FRAMES + 1
    assert read(out / "clip.kpv")[0].is_complete
    assert scan(clip, out, "csv") == (0, 0)
    assert (out / "clip_2.csv").read_bytes() == (out / "clip.csv").read_bytes()


def test_a_scan_that_another_program_writes_leaves_no_empty_files(clip, out, capsys):
    scan(clip, out)
    cut(out / "clip.kpv", 3)
    header = read(out / "clip.kpv")[0].header
    (out / "clip.kpv").unlink()
    other = ScanWriter(out / "clip.kpv", header)
    assert scan(clip, out, "jsonl", "csv", "coco")[0] != 0
    other.close()
    assert "is being written by another kpviewer" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["clip.kpv"]


def test_a_part_of_the_source_is_no_complete_scan(clip, out):
    assert scan(clip, out, seconds=1.0)[0] == 0
    reader, columns = read(out / "clip.kpv")
    assert len(columns) == 10 and not reader.is_complete
    assert scan(clip, out)[0] == 0
    assert read(out / "clip.kpv")[0].is_complete


@pytest.mark.parametrize("batch", [1, 4])
def test_files_from_a_scan_are_those_of_a_plain_run(tmp_path, clip, batch, capsys):
    kinds = ("jsonl", "csv", "coco", "video")
    plain, again = tmp_path / "plain", tmp_path / "again"
    given = {"batch": batch, "style": OverlayStyle(tracks=True), "changes": {"score": 0.07}}
    assert scan(clip, plain, *kinds, scans=False, **given)[0] == 0
    scan(clip, tmp_path, scan_file=tmp_path / "whole.kpv")
    cut(tmp_path / "whole.kpv", 25)
    engine = ScanEngine()
    options = {**given, "scans": False, "from_scan": tmp_path / "whole.kpv", "engine": engine}
    assert scan(clip, again, *kinds, **options) == (0, FRAMES - 25)
    assert "whole.kpv ends after 25 frames; the model runs" in capsys.readouterr().err
    names = sorted(path.name for path in plain.iterdir())
    assert names == sorted(path.name for path in again.iterdir()) and len(names) == 5
    for name in names:
        first, second = (plain / name).read_bytes(), (again / name).read_bytes()
        if name.endswith(".jsonl"):  # what a clock says differs
            first, second = _untimed(first), _untimed(second)
        assert first == second, name


def _untimed(lines: bytes) -> bytes:
    return re.sub(rb'"timings":\{[^}]*\}|"captured_ns":\d+', b"", lines)


def test_a_folder_of_images_is_continued_though_one_cannot_be_read(tmp_path, out):
    album = tmp_path / "album"
    album.mkdir()
    for number in range(5):
        bgr = np.full((48, 64, 3), 40 * number, np.uint8)
        assert qimage_of(bgr).save(str(album / f"{number}.png"))
    (album / "1.png").write_bytes(b"no image")
    scan(str(album), out)
    chunks = list(chunks_of(open_scan(out / "album.kpv")))  # one, or more on a busy machine
    files = [name for chunk in chunks for name in chunk.files]
    assert files == ["0.png", "2.png", "3.png", "4.png"]
    whole = concatenated([chunk.columns for chunk in chunks])
    assert whole.frame_index.tolist() == [0, 2, 3, 4]
    cut(out / "album.kpv", 2)
    assert scan(str(album), out) == (0, 2)
    _, columns = read(out / "album.kpv")
    np.testing.assert_array_equal(columns.xyxy, whole.xyxy)


def test_a_scan_overwrites_neither_another_scan_nor_a_file(clip, tmp_path, out):
    scan(clip, out)
    assert scan(clip, out, engine=ScanEngine("ef" * 32)) == (0, FRAMES)
    (out / "clip_3.kpv").write_text("notes")
    (tmp_path / "b").mkdir()
    other = make_clip(tmp_path / "b" / "clip.mp4", frames=3)
    assert scan(other, out)[0] == 0
    assert (out / "clip_3.kpv").read_text() == "notes"
    assert [read(out / f"clip{end}.kpv")[0].frames for end in ("", "_2", "_4")] == [30, 30, 3]


REFUSED: dict[str, dict[str, object]] = {
    "another model (box)": {"engine": ScanEngine("ef" * 32)},
    "another source (clip.mp4)": {"source": "b.mp4"},
    "at least 0.05, got --conf 0.01": {"changes": {"score": 0.01}},
    "isn't a scan": {"content": b"RIFF and more"},
    "can't be used for a scan": {"engine": ScanEngine(None)},
}


@pytest.mark.parametrize("reason", REFUSED)
@pytest.mark.parametrize("way", ["from_scan", "scan_file"])
def test_a_scan_that_does_not_fit_is_refused_in_one_line(clip, tmp_path, capsys, reason, way):
    out, file, change = tmp_path / "out", tmp_path / "clip.kpv", dict(REFUSED[reason])
    scan(clip, tmp_path)
    make_clip(tmp_path / "b.mp4", frames=3)
    source = str(tmp_path / str(change.pop("source", "clip.mp4")))
    file.write_bytes(change.pop("content", file.read_bytes()))
    before = file.read_bytes()
    capsys.readouterr()
    given = {way: file, "scans": way == "scan_file", **change}
    assert scan(source, out, "csv", **given) == (ScanError.exit_code, 0)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: ") and reason in line
    assert file.read_bytes() == before and not out.exists()


@pytest.mark.parametrize("kind", ["no scan", "damaged header", "of another source"])
def test_a_scan_in_the_cache_that_cannot_be_continued_is_made_anew(
    clip, tmp_path, monkeypatch, capsys, kind
):
    monkeypatch.setattr(config_files, "cache_folder", lambda: tmp_path / "cache")
    file = cached_path(str(fingerprint_of(clip)), "ab" * 32)
    other = make_clip(tmp_path / "b.mp4", frames=3)
    scan(other if kind == "of another source" else clip, tmp_path, scan_file=file)
    content = bytearray(file.read_bytes())
    content[{"no scan": 0, "damaged header": 40}.get(kind, len(content) - 1)] ^= 255
    file.write_bytes(content)
    assert scan(clip, tmp_path, scan_file=file) == (0, FRAMES)
    reader, columns = read(file)
    assert reader.is_complete and len(columns) == FRAMES
    capsys.readouterr()
    assert scan(other, tmp_path, scan_file=file)[0] == ScanError.exit_code  # its name is the clip's
    assert "has changed since it was opened" in capsys.readouterr().err


def test_a_scan_to_read_must_be_there(clip, out, capsys):
    given = {"from_scan": out / "none.kpv", "scans": False}
    assert scan(clip, out, "csv", **given) == (ScanError.exit_code, 0)
    assert "is missing. Scan with: kpviewer process --scan" in capsys.readouterr().err


def test_a_live_source_is_refused_in_one_line(out, monkeypatch, capsys):
    assert scan("rtsp://localhost:1/a", out) == (ScanError.exit_code, 0)
    (line,) = capsys.readouterr().err.splitlines()
    assert "Record a live source first" in line


def test_a_source_that_cannot_be_read_leaves_no_scan(tmp_path, out):
    (tmp_path / "text.mp4").write_text("no video")
    assert scan(str(tmp_path / "text.mp4"), out) == (SourceError.exit_code, 0)
    assert not out.exists() or not list(out.iterdir())


# -- command line --------------------------------------------------------------------------------


def options_of(
    monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[tuple[str, ...], ProcessOptions]:
    seen: list[tuple[tuple[str, ...], ProcessOptions]] = []
    monkeypatch.setattr(process, "process_sources", lambda *given, **_run: seen.append(given) or 0)
    done = CliRunner().invoke(main, ["process", *arguments])
    assert done.exit_code == 0, done.output
    return seen[0]


def test_a_named_scan_needs_no_folder(monkeypatch):
    sources, options = options_of(monkeypatch, "demo", "--scan", "a/demo.kpv")
    assert sources == ("demo",)
    assert (options.scans, options.scan_file, options.outputs) == (True, Path("a/demo.kpv"), ())


def test_a_scan_goes_beside_other_files(monkeypatch):
    _, options = options_of(monkeypatch, "demo", "--scan", "--csv", "--out", "o")
    assert (options.scans, options.scan_file, options.outputs) == (True, None, ("csv",))
    _, options = options_of(monkeypatch, "demo", "--out", "o", "--scan")
    assert (options.scans, options.scan_file, options.outputs) == (True, None, ())


def test_files_come_from_a_scan(monkeypatch):
    _, options = options_of(monkeypatch, "demo", "--from-scan", "demo.kpv", "--out", "o")
    assert options.from_scan == Path("demo.kpv")
    assert (options.scans, options.outputs) == (False, ("video",))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("demo", "--scan"), "--out"),
        (("demo", "--scan", "a.kpv", "--csv"), "--out"),
        (("--scan", "clip.mp4", "demo"), "ends in .kpv"),
        (("demo", "strip", "--scan", "a.kpv"), "for one source"),
    ],
)
def test_wrong_options_are_explained(arguments, reason):
    done = CliRunner().invoke(main, ["process", *arguments])
    assert done.exit_code == 2 and reason in done.output


# -- ends of the process ---------------------------------------------------------------------------

CHILD = """
import functools, sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from kpviewer.cli import process
from kpviewer.processing import options, scan
from test_scan import ScanEngine

class Clock:  # a tenth of a second passes with each frame
    now_s = 0.0

    def __call__(self):
        return self.now_s

clock = Clock()
scan.ScanSink = functools.partial(scan.ScanSink, clock=clock)

class Stopping(ScanEngine):
    def infer(self, bgr):
        clock.now_s += 0.1
        if self.seen == 25:
            print("started", flush=True)
            sys.stdin.readline()
        return super().infer(bgr)

options = options.ProcessOptions(Path(sys.argv[1]).parent, (), scans=True,
                                     scan_file=Path(sys.argv[1]))
try:
    process.process_sources([sys.argv[2]], options, engine=Stopping())
except KeyboardInterrupt as interrupt:
    sys.exit(interrupt.exit_code)
"""


def stopped_child(clip: str, path: Path, number: int) -> int:
    """Send a signal to a child that has scanned 25 frames; return its exit code."""
    tests = Path(__file__).parent
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), clip, str(tests), str(tests.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        reader = ScanReader(path)
        assert child.stdout.readline() == "started\n"
        eventually(lambda: bool(reader.read_new()) or reader.frames > 0)  # another process reads
        child.send_signal(number)
        if number != signal.SIGKILL:
            child.stdin.write("\n")
            child.stdin.flush()
        return child.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_a_killed_process_loses_at_most_the_last_second(clip, tmp_path):
    path = tmp_path / "clip.kpv"
    assert stopped_child(clip, path, signal.SIGKILL) == -signal.SIGKILL
    reader, columns = read(path)
    assert 15 <= len(columns) <= 25 and not reader.is_complete
    code, ran = scan(clip, tmp_path, scan_file=path)
    assert (code, ran) == (0, FRAMES - len(columns))
    _, continued = read(path)
    scan(clip, tmp_path, scan_file=tmp_path / "whole.kpv")
    _, whole = read(tmp_path / "whole.kpv")
    np.testing.assert_array_equal(continued.xyxy, whole.xyxy)
    np.testing.assert_array_equal(continued.position_s, whole.position_s)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_closes_the_file_whole(clip, tmp_path, name):
    number = getattr(signal, name)
    path = tmp_path / "clip.kpv"
    assert stopped_child(clip, path, number) == 128 + number
    reader, columns = read(path)
    assert len(columns) >= 25 and not reader.is_complete and not reader.is_damaged
    assert reader.end_bytes == path.stat().st_size


def test_progress_counts_the_frames_that_the_file_had(clip, out, capsys):
    scan(clip, out)
    cut(out / "clip.kpv", 12)
    capsys.readouterr()
    scan(clip, out, json_progress=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[0] == "{"]
    assert all(12 <= line["frames"] <= FRAMES for line in lines[:-1])
    assert lines[-1] == {"files": [str(out / "clip.kpv")]}
