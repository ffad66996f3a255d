"""Runs over several sources: skipping, trying again, and what is written down."""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fakes import eventually
from onnx_files import boxes_file
from sample_clips import FRAMES, BoxEngine, make_clip
from sample_workers import dying_worker

from kpviewer.cli.main import main
from kpviewer.cli.process import process_sources
from kpviewer.cli.process_console import Console
from kpviewer.errors import DatasetError, PipelineError, WeightsError
from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.processing import open_tasks
from kpviewer.processing import source as one_source
from kpviewer.processing.backend_choice import BackendChoice, ChosenBackend
from kpviewer.processing.claims import claim
from kpviewer.processing.jobs import ProcessPool
from kpviewer.processing.options import ProcessOptions
from kpviewer.processing.progress import Progress
from kpviewer.processing.run import Run, RunOptions, settings_hash
from kpviewer.processing.shard import Shard
from kpviewer.processing.tasks import Result, Setting
from kpviewer.processing.worker import Worker
from kpviewer.structures import ImageArray, Thresholds
from kpviewer.system.interrupts import Interrupted

pytestmark = pytest.mark.usefixtures("qapp")


class CountingEngine(BoxEngine):
    """Engine that counts images; its content is known, so that its sources can be skipped."""

    model_hash = "a" * 64

    def __init__(self) -> None:
        self.seen = 0

    def infer(self, bgr: ImageArray) -> Any:
        self.seen += 1
        return super().infer(bgr)


@pytest.fixture
def clips(tmp_path: Path) -> list[str]:
    (tmp_path / "clips").mkdir()
    return [make_clip(tmp_path / "clips" / name, frames=5) for name in ("a.mp4", "b.mp4")]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run(sources: list[str], out: Path, *outputs: str, **given: Any) -> tuple[int, int]:
    """Process sources; return the exit code, and how many images the model saw."""
    where = {name: given.pop(name) for name in ("is_forced", "shard") if name in given}
    engine = given.pop("engine", None) or CountingEngine()
    options = ProcessOptions(out, outputs or ("jsonl",), **given)
    return process_sources(sources, options, engine=engine, run=RunOptions(**where)), engine.seen


def lines(out: Path, name: str = "manifest.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / name).read_text().splitlines()]


def names(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def test_each_source_has_a_line(clips, out):
    assert run(clips, out) == (0, 10)
    first, second = lines(out)
    assert (first["source"], first["name"], first["status"]) == (clips[0], "a", "ok")
    assert (second["frames"], second["why"]) == (5, None)
    assert first["files"] == {"a.jsonl": (out / "a.jsonl").stat().st_size}
    assert first["model"] == "a" * 64 and first["fingerprint"].startswith("file:")


def test_a_line_says_that_a_source_ended_early(clips, out, tmp_path):
    whole = Path(make_clip(tmp_path / "whole.mkv", frames=20, fps=2))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert run([clips[0], str(cut)], out)[0] == 0
    whole_line, cut_line = lines(out)
    assert (whole_line["status"], whole_line["warning"]) == ("ok", None)
    assert (cut_line["status"], cut_line["why"]) == ("ok", None)
    assert cut_line["warning"].startswith("ended early: ")


def test_finished_sources_are_skipped(clips, out, capsys):
    run(clips[:1], out)
    assert run(clips, out) == (0, 5)
    assert "1 of 2 sources were finished before" in capsys.readouterr().out
    assert names(out) == ["a.jsonl", "b.jsonl", "manifest.jsonl"]
    assert run(clips, out, is_forced=True) == (0, 10)
    assert names(out) == ["a.jsonl", "a_2.jsonl", "b.jsonl", "b_2.jsonl", "manifest.jsonl"]


def test_what_has_changed_is_processed_again(clips, out):
    run(clips, out)
    assert run(clips, out, changes={"score": 0.1}) == (0, 10)  # the settings
    make_clip(Path(clips[1]), frames=7)
    assert run(clips, out, changes={"score": 0.1}) == (0, 7)  # the source
    (out / "a_2.jsonl").unlink()
    assert run(clips, out, changes={"score": 0.1}) == (0, 5)  # the files
    other = CountingEngine()
    other.model_hash = "b" * 64
    assert run(clips[:1], out, changes={"score": 0.1}, engine=other) == (0, 5)


def test_other_ground_truth_under_the_same_name_is_used(clips, out, tmp_path):
    for expected, box in ((5, "10,10,40,30"), (0, "10,10,40,30"), (5, "10,10,41,30")):
        (tmp_path / "t.csv").write_text(f"image,xmin,ymin,xmax,ymax,label\n0.png,{box},thing\n")
        given = {"ground_truth": f"csv:{tmp_path / 't.csv'}"}
        assert run(clips[:1], out, **given) == (0, expected)


def test_another_scan_under_the_same_name_is_used(clips, out, tmp_path):
    scan = tmp_path / "s.kpv"
    options = ProcessOptions(out, from_scan=scan)
    chosen = ChosenBackend(BackendChoice("", ""), "CPU")
    found = set()
    for content in (b"1", b"2"):
        scan.write_bytes(content)
        found.add(settings_hash(options, Thresholds(), chosen))
    assert len(found) == 2


class Exchanging(Console):
    """Listener during whose first call the file of the model is replaced."""

    def __init__(self, model: Path) -> None:
        super().__init__(2)
        self.model = model

    def begin(self, engine: InferenceEngine) -> None:
        assert engine.model_hash is not None  # type: ignore[attr-defined]
        boxes_file(self.model, "{0: 'cat', 1: 'dog'}")


def test_workers_refuse_a_model_that_is_another_since_the_run_began(clips, out, tmp_path):
    model = boxes_file(tmp_path / "m.onnx", "{0: 'dog', 1: 'cat'}")
    options = ProcessOptions(out, ("jsonl",), model=str(model))
    work = Run(clips, options, RunOptions(jobs=2), Exchanging(model))
    with pytest.raises(WeightsError, match="has changed since it was opened"):
        work.process()
    assert names(out) == []


def test_workers_refuse_annotations_that_are_others_since_the_run_began(out, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("image,xmin,ymin,xmax,ymax,label\n0.png,10,10,40,30,thing\n")
    options = ProcessOptions(out, ("csv",), ground_truth=f"csv:{table}")
    with pytest.raises(DatasetError, match="has changed since the run began"):
        Worker(Setting(options, settings="settings+others"), BoxEngine())


def test_a_copy_of_a_finished_source_is_processed(clips, out):
    run(clips[:1], out)
    copy = Path(clips[0]).with_name("c.mp4")
    copy.write_bytes(Path(clips[0]).read_bytes())
    assert run([str(copy)], out) == (0, 5)


def test_the_exit_code_of_several_is_1_and_failures_are_listed(clips, out, capsys):
    Path(clips[0]).write_bytes(b"no video")
    assert run(clips, out)[0] == 1
    errors = capsys.readouterr().err.splitlines()
    assert errors[1] == "1 of 2 sources failed:"
    assert errors[2].startswith(f"  {clips[0]}: ")
    failed, finished = lines(out)
    assert (failed["status"], finished["status"]) == ("failed", "ok")
    assert "a.mp4" in failed["why"]
    make_clip(Path(clips[0]), frames=5)
    assert run(clips, out) == (0, 5), "a failed source is tried again, a finished one isn't"


def test_sources_of_one_name_keep_their_files_in_every_run(clips, out):
    (Path(clips[0]).parent / "x").mkdir()
    twin = make_clip(Path(clips[0]).parent / "x" / "a.mp4", frames=3)
    assert run([clips[0], twin], out) == (0, 8)
    assert [line["name"] for line in lines(out)] == ["a", "a_2"]
    assert run([clips[0], twin], out) == (0, 0)


def test_commands_that_take_turns_in_a_folder_process_each_source_once(clips, out):
    assert [run(clips, out, kind)[1] for kind in ("jsonl", "csv", "jsonl", "csv")] == [10, 10, 0, 0]
    assert names(out) == ["a.csv", "a.jsonl", "b.csv", "b.jsonl", "manifest.jsonl"]


class Failing(CountingEngine):
    """Engine that fails at the third image and all later ones."""

    def infer(self, bgr: ImageArray) -> Any:
        found = super().infer(bgr)
        if self.seen > 2:
            raise RuntimeError("a fault")
        return found


def test_what_a_failed_source_left_is_replaced_by_that_source_alone(clips, out):
    (Path(clips[0]).parent / "x").mkdir()
    twin = make_clip(Path(clips[0]).parent / "x" / "a.mp4", frames=3)
    empty = {"score": 0.9}  # without detections, the tables of both are of one size
    assert run(clips[:1], out, "csv", changes=empty, engine=Failing())[0] == 1
    assert run([twin], out, "csv", changes=empty) == (0, 3)
    assert run([clips[0], twin], out, "csv", changes=empty) == (0, 5)
    assert [(each["name"], each["frames"]) for each in lines(out)] == [
        ("a", 2),
        ("a_2", 3),
        ("a", 5),
    ]


def test_a_file_that_another_source_has_replaced_is_not_taken_for_the_old_one(clips, out):
    (Path(clips[0]).parent / "x").mkdir()
    twin = make_clip(Path(clips[0]).parent / "x" / "a.mp4", frames=3)
    empty = {"score": 0.9}
    run(clips[:1], out, "csv", changes=empty)
    (out / "a.csv").unlink()
    run([twin], out, "csv", changes=empty)
    assert run(clips[:1], out, "csv", changes=empty) == (0, 5)
    assert names(out) == ["a.csv", "a_2.csv", "manifest.jsonl"]


def test_a_claim_of_a_run_that_goes_on_stays(clips, out):
    run(clips[:1], out)
    other = claim(out, "a", (".csv",), work="results of another kind")
    assert run(clips[:1], out) == (0, 0)
    assert names(out) == ["a.jsonl", "a.processing", "manifest.jsonl"]
    other.end()
    assert names(out) == ["a.jsonl", "manifest.jsonl"]


def test_a_killed_run_is_begun_anew_under_its_names(clips, out, capsys):
    claim(out, "a", [".jsonl"]).leave()  # as a killed process leaves it
    (out / "a.jsonl.part").write_text("half")
    assert run(clips, out) == (0, 10)
    assert names(out) == ["a.jsonl", "b.jsonl", "manifest.jsonl"]
    assert "interrupted" not in capsys.readouterr().err


def test_files_that_are_finished_outlive_a_claim_that_was_left(clips, out):
    run(clips[:1], out)
    (out / "a.processing").touch()  # as by a kill right after the line of the manifest
    assert run(clips[:1], out, is_forced=True) == (0, 5)
    assert names(out) == ["a.jsonl", "a_2.jsonl", "manifest.jsonl"]


def test_all_files_of_a_run_have_one_name(clips, out):
    for outputs in (("csv",), ("csv", "jsonl", "coco")):
        options = ProcessOptions(out, outputs)
        assert process_sources(clips[:1], options, engine=CountingEngine()) == 0
    assert names(out) == ["a.csv", "a_2.csv", "a_2.json", "a_2.jsonl", "a_2_dataset.json"]


def test_files_that_are_written_without_a_claim_outlive_one_that_was_left(clips, out):
    claim(out, "a", (".jsonl",)).leave()
    options = ProcessOptions(out, ("jsonl",))
    assert process_sources(clips[:1], options, engine=CountingEngine()) == 0
    apart = (out / "a_2.jsonl").read_bytes()
    run(clips, out)
    assert (out / "a_2.jsonl").read_bytes() == apart
    assert names(out) == ["a.jsonl", "a_2.jsonl", "b.jsonl", "manifest.jsonl"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_a_source_that_killed_its_workers_leaves_nothing(clips, out, monkeypatch):
    out.mkdir()
    monkeypatch.setattr(
        "kpviewer.processing.run.ProcessPool", partial(ProcessPool, make=dying_worker)
    )
    engine = CountingEngine()
    options = ProcessOptions(out, ("jsonl",))
    assert process_sources(clips[:1], options, engine=engine, run=RunOptions(jobs=2)) == 1
    assert [line["status"] for line in lines(out)] == ["failed"]
    assert names(out) == ["manifest.jsonl"]
    assert run(clips[:1], out) == (0, 5)
    assert names(out) == ["a.jsonl", "manifest.jsonl"]


class Interrupting(CountingEngine):
    """Engine that sends SIGTERM to its process at the third image."""

    def infer(self, bgr: ImageArray) -> Any:
        if self.seen == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().infer(bgr)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
def test_an_interrupted_source_is_replaced_by_the_next_run(tmp_path, out):
    clip = make_clip(tmp_path / "a.mp4", frames=2000)
    with pytest.raises(Interrupted):
        run([clip, clip], out, engine=Interrupting())
    (line,) = lines(out)
    assert (line["status"], line["why"]) == ("failed", "ended by SIGTERM")
    assert line["files"] == {"a.jsonl": (out / "a.jsonl").stat().st_size}
    assert run([clip], out, seconds=0.5)[0] == 0
    assert names(out) == ["a.jsonl", "manifest.jsonl"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
def test_an_interrupted_scan_is_continued_by_the_next_run(tmp_path, out):
    clip = make_clip(tmp_path / "a.mp4", frames=800)
    with pytest.raises(Interrupted):
        run([clip], out, "csv", scans=True, engine=Interrupting())
    scanned = lines(out)[0]["frames"]
    assert 2 <= scanned < 800
    assert run([clip], out, "csv", scans=True) == (0, 800 - scanned)
    assert names(out) == ["a.csv", "a.kpv", "manifest.jsonl"]


def test_a_scan_of_another_name_is_written_though_the_source_is_finished(clips, out, tmp_path):
    inside, outside = out / "s.kpv", tmp_path / "t.kpv"
    given: dict[str, Any] = {"scans": True}
    for scan, seen in ((inside, 5), (inside, 0), (outside, 5), (outside, 0)):
        assert run(clips[:1], out, "csv", scan_file=scan, **given) == (0, seen)
    outside.unlink()
    assert run(clips[:1], out, "csv", scan_file=outside, **given) == (0, 5)
    assert [sorted(each["files"]) for each in lines(out)] == [
        ["a.csv", "s.kpv"],
        ["a_2.csv"],
        ["a_3.csv"],
    ]


class StoppedConsole(Console):
    """Listener that a signal interrupts at the first result, while another file is written."""

    def __init__(self, written: Path, number: int) -> None:
        super().__init__(2)
        self.written, self.ended, self.number = written, 0, number

    def end(self, result: Result) -> None:
        self.ended += 1
        if self.ended == 1:
            eventually(self.written.exists)
            raise Interrupted(self.number)
        super().end(result)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_instant_a_source_ends_keeps_the_results_of_others(
    tmp_path, out, number, capsys
):
    clips = [make_clip(tmp_path / "a.mp4", frames=2), make_clip(tmp_path / "b.mp4", frames=9000)]
    model = boxes_file(tmp_path / "m.onnx", "{0: 'dog', 1: 'cat'}")
    options = ProcessOptions(out, ("csv",), model=str(model))
    listener = StoppedConsole(out / "b.csv.part", number)
    with pytest.raises(Interrupted):
        Run(clips, options, RunOptions(jobs=2), listener).process()
    found = [(each["name"], each["status"], each["why"]) for each in lines(out)]
    assert found == [("a", "ok", None), ("b", "failed", f"ended by {number.name}")]
    assert f"ended by {number.name}" in capsys.readouterr().err
    assert names(out) == ["a.csv", "b.csv", "manifest.jsonl"]


def test_runs_at_once_share_the_work(clips, out, capsys):
    class Meanwhile(CountingEngine):
        """Engine that starts another run at its first image."""

        other: tuple[int, int] | None = None

        def infer(self, bgr: ImageArray) -> Any:
            if self.other is None:
                self.other = (0, 0)
                self.other = run(clips, out)
            return super().infer(bgr)

    engine = Meanwhile()
    assert run(clips, out, engine=engine) == (0, 5)
    assert engine.other == (0, 5)
    assert names(out) == ["a.jsonl", "b.jsonl", "manifest.jsonl"]
    printed = capsys.readouterr()
    assert "another run was processing 1 of 2 sources" in printed.err
    assert "1 of 2 sources were finished before" in printed.out


def test_a_source_that_another_run_ends_in_the_same_instant_is_not_processed(
    clips, out, monkeypatch
):
    def late(*given: Any) -> Any:
        monkeypatch.undo()
        assert run(clips[:1], out) == (0, 5)  # the manifest has been read before
        return claim(*given)

    monkeypatch.setattr(open_tasks, "claim", late)
    assert run(clips[:1], out) == (0, 0)
    assert names(out) == ["a.jsonl", "manifest.jsonl"]


def test_a_run_that_cannot_begin_leaves_no_claim(clips, out, monkeypatch):
    def fail(*_given: Any) -> None:
        raise PipelineError("no workers")

    monkeypatch.setattr("kpviewer.processing.run.ProcessPool", fail)
    with pytest.raises(PipelineError):
        process_sources(
            clips, ProcessOptions(out, ("jsonl",)), engine=CountingEngine(), run=RunOptions(jobs=2)
        )
    assert names(out) == []


def test_no_worker_starts_without_work(clips, out, monkeypatch):
    run(clips[:1], out)
    started = []
    monkeypatch.setattr(
        "kpviewer.processing.run.ProcessPool",
        lambda setting, jobs, gpus: started.append(jobs) or ProcessPool(setting, 0),
    )
    process_sources(
        clips, ProcessOptions(out, ("jsonl",)), engine=CountingEngine(), run=RunOptions(jobs=4)
    )
    assert started == [1]


def test_a_fault_in_one_source_does_not_end_the_run(clips, out, monkeypatch):
    make = one_source.opening.make_source

    def fail(text: str, **given: Any) -> Any:
        if text == clips[0]:
            raise RuntimeError("a fault")
        return make(text, **given)

    monkeypatch.setattr(one_source.opening, "make_source", fail)
    assert run(clips, out)[0] == 1
    assert [line["status"] for line in lines(out)] == ["failed", "ok"]
    assert lines(out)[0]["why"] == "RuntimeError: a fault"


def test_shards_together_do_what_one_run_does(tmp_path):
    shards = [Shard(number, 2) for number in (1, 2)]
    paths = [tmp_path / f"{number}.mp4" for number in range(100)]
    parts = [[path for path in paths if shard.has(str(path))] for shard in shards]
    clips = [make_clip(path, frames=3) for path in (*parts[0][:2], *parts[1][:4])]
    counts = [run(clips, tmp_path / "parts", "video", "csv", shard=shard)[1] for shard in shards]
    assert counts == [6, 12]
    run(clips, tmp_path / "whole", "video", "csv")
    for path in (tmp_path / "whole").glob("*.mp4"):
        assert path.read_bytes() == (tmp_path / "parts" / path.name).read_bytes()
    for path in (tmp_path / "whole").glob("*.csv"):
        assert path.read_bytes() == (tmp_path / "parts" / path.name).read_bytes()


def test_a_shard_without_a_source_says_so(clips, out, capsys):
    empty = next(s for n in range(1, 4) if not (s := Shard(n, 3)).has(clips[0]))
    assert run(clips[:1], out, shard=empty) == (0, 0)
    assert f"Shard {empty.name} has no source" in capsys.readouterr().err


def test_lines_of_two_runs_are_equal(clips, tmp_path):
    run(clips, tmp_path / "1")
    run(clips, tmp_path / "2")
    assert (tmp_path / "1" / "a.jsonl").read_bytes() == (tmp_path / "2" / "a.jsonl").read_bytes()
    frame = json.loads((tmp_path / "1" / "a.jsonl").read_text().splitlines()[1])
    assert frame["timings"] is None and frame["captured_ns"] is None


def test_progress_weighs_sources_by_their_size(tmp_path):
    for name, size in (("a", 100), ("b", 300), ("c", 600)):
        (tmp_path / f"{name}.mp4").write_bytes(bytes(size))
    now = [0.0]
    progress = Progress([str(tmp_path / f"{name}.mp4") for name in "abc"], lambda: now[0])
    assert (progress.share, progress.seconds_left) == (0.0, None)
    progress.end(0, 0, has_failed=False, is_skipped=True)
    assert progress.seconds_left is None, "what was skipped says nothing of the rate"
    now[0] = 10.0
    progress.run({1: (50, 100)})  # 150 bytes in 10 s; 750 are left
    assert progress.share == pytest.approx(0.25)
    assert progress.seconds_left == pytest.approx(50.0)
    progress.end(1, 100, has_failed=True, is_skipped=False)
    assert (progress.finished, progress.failed, progress.frames) == (2, 1, 100)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["0", "--jobs", "2", "--out", "o"], "for files"),
        (["rtsp://host/x", "--shard", "1/2", "--out", "o"], "for files"),
        (["demo", "--shard", "3/2", "--out", "o"], "I/N"),
        (["demo", "--jobs", "2", "--no-manifest", "--out", "o"], "need --out"),
        (["--out", "o"], "--list"),
        (["--list", "none.txt", "--out", "o"], "can't be read"),
    ],
)
def test_command_refuses(arguments, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["process", *arguments])
    assert done.exit_code != 0 and reason in done.output


@pytest.mark.parametrize("found", ["", "/*.mp4", "/../**/*.mp4"])
def test_results_beside_their_sources_are_refused(clips, found):
    folder = str(Path(clips[0]).parent)
    done = CliRunner().invoke(main, ["process", folder + found, "--out", folder])
    assert done.exit_code == 2 and "folder of the sources" in done.output


def test_a_file_alone_has_a_line_only_in_a_manifest_of_several(clips, out, monkeypatch):
    monkeypatch.setattr("kpviewer.processing.run.load_engine", lambda _options: CountingEngine())

    def process(*given: str) -> list[str]:
        arguments = ["process", *given, "--jsonl", "--out", str(out)]
        assert CliRunner().invoke(main, arguments).exit_code == 0
        return names(out)

    assert process(clips[0]) == ["a.jsonl"]
    assert process(*clips)[-1] == "manifest.jsonl"
    before = len(lines(out))
    make_clip(Path(clips[1]), frames=7)
    process(clips[1])
    assert len(lines(out)) == before + 1


@pytest.mark.slow
def test_processes_write_the_same_bytes(tmp_path):
    clips = [make_clip(tmp_path / f"{number}.mp4", frames=FRAMES) for number in range(4)]
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    model = boxes_file(tmp_path / "m.onnx", "{0: 'dog', 1: 'cat'}")
    outputs = ["--video", "--jsonl", "--csv", "--coco"]
    outputs += ["--backend", "openvino", "--precision", "fp32"]  # no benchmark in each process
    for name, given in (("plain", []), ("jobs", ["--jobs", "2"])):
        arguments = [*clips, str(tmp_path / "bad.mp4"), "--model", str(model), *outputs, *given]
        done = CliRunner().invoke(main, ["process", "--out", str(tmp_path / name), *arguments])
        assert done.exit_code == 1, done.output
    assert names(tmp_path / "plain") == names(tmp_path / "jobs")
    for path in (tmp_path / "plain").iterdir():
        if path.name != "manifest.jsonl":
            assert path.read_bytes() == (tmp_path / "jobs" / path.name).read_bytes(), path.name
    states = [
        {line["name"]: line["status"] for line in lines(tmp_path / name)}
        for name in ("plain", "jobs")
    ]
    assert states[0] == states[1]
