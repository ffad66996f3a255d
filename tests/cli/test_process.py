import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from fakes import eventually
from PyQt6.QtGui import QColor, QImage
from sample_clips import FRAMES, BoxEngine, make_clip
from sample_results import read_video

from kpviewer.annotations.spec import read_annotations
from kpviewer.cli import process, process_console
from kpviewer.cli.main import main
from kpviewer.cli.process import process_sources
from kpviewer.errors import InputError, RecordingError, SourceError
from kpviewer.models.spec import Task
from kpviewer.overlay import OverlayStyle, qimage_of
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.results.tracking import TrackingOptions
from kpviewer.pipeline.threads import run as pipeline_run
from kpviewer.processing import job
from kpviewer.processing.options import ProcessOptions
from kpviewer.processing.worker import load_engine
from kpviewer.recording import files, jobs, results, segment
from kpviewer.recording.disk import disk_call, disk_silence_s
from kpviewer.sources import open as opening
from kpviewer.sources.turn import Turn
from kpviewer.structures import Candidates, ImageArray, NmsKind
from kpviewer.system.interrupts import Interrupted, interrupts_raised

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return make_clip(tmp_path / "clip.mp4")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run(sources: list[str], out: Path, *outputs: str, **given: object) -> int:
    options = ProcessOptions(out, outputs or ("video",), **given)
    return process_sources(sources, options, engine=BoxEngine())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_frame_of_a_clip_is_in_the_video_at_its_own_time(clip, out):
    assert run([clip], out) == 0
    facts = read_video(out / "clip.mp4")
    assert facts.times_s == pytest.approx([number / 10 for number in range(FRAMES)])
    assert facts.duration_s == pytest.approx(FRAMES / 10, abs=0.001)
    assert np.abs(facts.pixels[11, 20, 10].astype(int) - 150).max() > 40  # the box


def test_all_results_are_written_and_named_after_the_source(clip, out):
    assert run([clip], out, "video", "jsonl", "csv", "coco") == 0
    assert names(out) == ["clip.csv", "clip.json", "clip.jsonl", "clip.mp4", "clip_dataset.json"]
    lines = [json.loads(line) for line in (out / "clip.jsonl").read_text().splitlines()]
    assert lines[0]["model"] == "box"
    assert [line["index"] for line in lines[1:]] == list(range(FRAMES))
    rows = list(csv.DictReader((out / "clip.csv").read_text().splitlines()))
    assert len(rows) == len(json.loads((out / "clip.json").read_text())) == FRAMES
    assert rows[0]["class"] == "thing"


def test_folders_of_images_are_data_sets_of_the_clip(clip, out):
    assert run([clip], out, "voc", "yolo", "raw", every=5) == 0
    assert names(out) == ["clip_raw.mp4", "clip_voc", "clip_yolo"]
    for kind, folder in (("voc", "clip_voc"), ("yolo", "clip_yolo")):
        read = read_annotations(f"{kind}:{out / folder}")
        assert [image.path.name for image in read.images] == [
            f"clip_{index:06d}.jpg" for index in (0, 5, 10)
        ]
        assert read.class_names == ("thing",)
        np.testing.assert_allclose(read.images[0].targets.xyxy, [[10, 10, 40, 30]], atol=1e-4)
    assert len(read_video(out / "clip_raw.mp4").times_s) == FRAMES


def test_blur_hides_in_the_raw_video_too(tmp_path, out):
    stripes = np.zeros((48, 64, 3), np.uint8)
    stripes[:, ::4] = stripes[:, 1::4] = 255
    (tmp_path / "album").mkdir()
    assert qimage_of(stripes).save(str(tmp_path / "album" / "one.png"))
    assert run([str(tmp_path / "album")], out, "raw", style=OverlayStyle(anonymise=True)) == 0
    pixels = read_video(out / "album_raw.mp4").pixels[0].astype(int)
    assert np.ptp(pixels[15:25, 15:35]) < 60  # in the box
    assert np.ptp(pixels[:, 50:]) > 150


def test_tracked_objects_have_their_number_in_the_files(clip, out):
    assert run([clip], out, "jsonl", style=OverlayStyle(tracks=True)) == 0
    lines = [json.loads(line) for line in (out / "clip.jsonl").read_text().splitlines()[1:]]
    tracks = {found["track_id"] for line in lines[3:] for found in line["detections"]}
    assert len(tracks) == 1 and None not in tracks


def test_one_line_reports_the_outcome_of_a_source(clip, out, capsys):
    run([clip], out)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{clip}: {FRAMES} frames in, {FRAMES} out, ")
    assert line.endswith(f" fps -> {out / 'clip.mp4'}")


def test_a_single_frame_has_no_rate(clip, out, capsys):
    assert run([clip], out, "csv", seconds=0.001) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith(f": 1 frame in, 1 out -> {out / 'clip.csv'}")


def test_an_unreadable_source_is_one_line_and_the_next_is_processed(clip, tmp_path, out, capsys):
    (tmp_path / "text.mp4").write_text("no video")
    assert run([str(tmp_path / "text.mp4"), clip, str(tmp_path / "none.mp4")], out) == 1
    errors = capsys.readouterr().err.splitlines()
    assert "text.mp4" in errors[0] and "none.mp4" in errors[1]
    assert errors[2] == "2 of 3 sources failed:"
    assert [Path(line.split(":")[0]).name for line in errors[3:]] == ["text.mp4", "none.mp4"]
    assert names(out) == ["clip.mp4"]


def test_a_truncated_file_gives_its_readable_frames_and_a_warning(tmp_path, out, capsys):
    whole = Path(make_clip(tmp_path / "whole.mkv", fps=2, size_wh=(320, 240)))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert run([str(cut)], out) == 0
    assert 0 < len(read_video(out / "cut.mp4").times_s) < FRAMES
    assert "ended early" in capsys.readouterr().err


def test_seconds_keep_the_beginning_of_a_source(clip, out):
    assert run([clip], out, seconds=0.5) == 0
    assert len(read_video(out / "clip.mp4").times_s) == 5


class BatchEngine(BoxEngine):
    """Engine whose box moves with the brightness of the image; it counts batches."""

    batches = 0

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        time.sleep(0.005)  # the reader gets ahead
        left = np.float32(bgr.mean() / 10)
        box = np.array([[left, 10, left + 20, 30]], np.float32)
        scores = np.full((1, 1), 0.6, np.float32)
        return Candidates(box, scores, np.zeros((1, 0, 2), np.float32)), (1.0, 1.0, 1.0)

    def infer_batch(self, images: list[ImageArray]) -> list[object]:
        self.batches += 1
        return [self.infer(bgr) for bgr in images]


def test_batches_write_the_same_lines(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=60)
    written = []
    for batch in (1, 4):
        engine, out = BatchEngine(), tmp_path / str(batch)
        options = ProcessOptions(out, ("jsonl",), batch=batch)
        assert process_sources([clip], options, engine=engine) == 0
        assert bool(engine.batches) == (batch > 1)
        lines = (out / "clip.jsonl").read_text().splitlines()
        written.append(
            [re.sub(r'"timings":\{[^}]*\}|"captured_ns":\d+', "", line) for line in lines]
        )
    assert written[0] == written[1]
    assert len(set(written[0])) == 61, "a header, and a line for each frame"


def test_live_seconds_limit_only_endless_sources(clip, out):
    assert run([clip], out, live_seconds=0.5, stem="mine") == 0
    assert len(read_video(out / "mine.mp4").times_s) == FRAMES


def test_a_source_without_a_name_is_reported_by_its_own_name(clip, out, monkeypatch, capsys):
    monkeypatch.setattr(opening, "list_cameras", list)
    assert process_sources([None], ProcessOptions(out, seconds=0.1), engine=BoxEngine()) == 0
    assert capsys.readouterr().out.startswith("demo: ")


def test_thresholds_can_differ_from_those_of_the_model(clip, out):
    run([clip], out, "csv", changes={"score": 0.7})
    assert len((out / "clip.csv").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ({"changes": {"score": 0.3, "iou": 0.2, "nms": NmsKind.SOFT_LINEAR}}, None),
        ({"changes": {"sigma": 0.3}}, "with this model and NMS: --sigma"),
        ({"changes": {"iou": 0.2, "nms": NmsKind.NONE}}, "with this model and NMS: --iou"),
        ({"changes": {"iou": 0.2, "nms": NmsKind.SOFT_GAUSSIAN, "sigma": 0.3}}, "NMS: --iou\n"),
        ({"changes": {"keypoint": 0.3}}, "with this model and NMS: --keypoint-conf"),
        (
            {"changes": {"score": 0.3}, "classes": ("thing",), "outputs": (), "scans": True},
            "on a scan, which keeps all candidates: --conf, --classes",
        ),
        ({"style": OverlayStyle(smooth_landmarks=True)}, "on these files: --smooth-landmarks\n"),
        (
            {"style": OverlayStyle(anonymise=True, tracks=True), "sound": False},
            "on these files: --anonymise, --no-sound\n",
        ),
        ({"style": OverlayStyle(tracks=True), "outputs": ("yolo",)}, "these files: --track\n"),
        ({"style": OverlayStyle(anonymise=True), "outputs": ("csv", "raw")}, None),
        (
            {"changes": {"sigma": 0.3}, "sound": False},
            "and NMS: --sigma; without effect on these files: --no-sound\n",
        ),
    ],
)
def test_options_that_change_nothing_are_named(clip, out, capsys, given, note):
    options = ProcessOptions(out, **{"outputs": ("csv",), **given})
    process_sources([clip], options, engine=BoxEngine())  # which can't be scanned
    printed = capsys.readouterr().err
    assert note in printed if note else "without effect" not in printed


@pytest.mark.parametrize(
    ("limits", "rows"),
    [
        ({"classes": ("thing",)}, FRAMES),
        ({"classes": ("0",)}, FRAMES),
        ({"class_scores": {"thing": 0.99}}, 0),
        ({"changes": {"score": 0.99}, "class_scores": {"0": 0.1}}, FRAMES),
    ],
)
def test_classes_can_be_chosen_and_have_their_own_confidence(clip, out, limits, rows):
    run([clip], out, "csv", **limits)
    assert len((out / "clip.csv").read_text().splitlines()) == 1 + rows


@pytest.mark.parametrize("given", [{"classes": ("unicorn",)}, {"class_scores": {"unicorn": 0.3}}])
def test_a_class_that_the_model_lacks_is_refused_once(clip, out, given):
    with pytest.raises(InputError, match="'unicorn' must be a class of the model"):
        run([clip, clip], out, "csv", **given)
    assert not out.exists()


def test_command_takes_classes_and_their_confidence(clip, out, monkeypatch):
    seen: list[ProcessOptions] = []
    monkeypatch.setattr(
        process, "process_sources", lambda _, options, **_run: seen.append(options) or 0
    )
    given = ["--classes", "a,b", "--class-conf", "a=0.25", "--class-conf", "x=y=1"]
    run = CliRunner().invoke
    assert run(main, ["process", clip, "--out", str(out), *given]).exit_code == 0
    assert (seen[0].classes, seen[0].class_scores) == (("a", "b"), {"a": 0.25, "x=y": 1.0})
    for wrong in ("a", "=0.5", "a=2", "a=nan"):
        wrong_done = run(main, ["process", clip, "--out", str(out), "--class-conf", wrong])
        assert wrong_done.exit_code == 2
        assert f"got '{wrong}'" in wrong_done.output
    assert run(main, ["process", clip, "--out", str(out), "--classes", "a, b "]).exit_code == 0
    assert seen[-1].classes == ("a", "b")
    for command in (["process", clip, "--out", str(out)], ["view", clip]):
        for nothing in (",", " ,"):  # it isn't all classes
            refused = run(main, [*command, "--classes", nothing])
            assert refused.exit_code == 2
            assert "name a class at least" in refused.output


def test_rotated_frames_are_what_the_model_and_the_files_see(clip, out):
    assert run([clip], out, "video", "csv", turn=Turn(90)) == 0
    assert read_video(out / "clip.mp4").size_wh == (48, 64)


@pytest.mark.parametrize(
    ("given", "turn"),
    [
        (["--rotate", "270"], Turn(270)),
        (["--mirror"], Turn(0, is_mirrored=True)),
        (["--rotate", "90", "--mirror"], Turn(90, is_mirrored=True)),
        ([], None),
    ],
)
def test_command_takes_a_turn(clip, out, monkeypatch, given, turn):
    seen: list[ProcessOptions] = []
    monkeypatch.setattr(
        process, "process_sources", lambda _, options, **_run: seen.append(options) or 0
    )
    assert CliRunner().invoke(main, ["process", clip, "--out", str(out), *given]).exit_code == 0
    assert seen[0].turn == turn


def test_ground_truth_of_mirrored_frames_is_refused(clip, out):
    given = ["--mirror", "--ground-truth", "coco:x.json"]
    done = CliRunner().invoke(main, ["process", clip, "--out", str(out), *given])
    assert done.exit_code == 2
    assert "eave out" in done.output


def test_the_program_that_runs_it_reads_progress_and_files(clip, out, capsys):
    options = ProcessOptions(out, ("jsonl",), seconds=0.5)
    assert process_sources([clip], options, engine=BoxEngine(), json_progress=True) == 0
    printed = capsys.readouterr()
    *progress, files = map(json.loads, printed.out.splitlines())
    assert files == {"files": [str(out / "clip.jsonl")]}
    assert {each["total"] for each in progress} <= {None, FRAMES, 5}
    assert " frames in, 5 out" in printed.err


def test_the_total_of_a_limited_duration_is_that_of_its_frames(clip, out):
    pipeline = Pipeline(opening.make_source(clip), BoxEngine())
    one = job.ProcessJob(pipeline, BoxEngine.spec, ProcessOptions(out, ("jsonl",), seconds=0.5))
    assert one.frames_total is None
    pipeline.add_sink(one)
    pipeline.start()
    eventually(lambda: one.is_complete)
    pipeline.close()
    one.close()
    assert (one.frames, one.frames_total) == (5, 5)


def test_second_run_overwrites_nothing(clip, out):
    run([clip], out)
    run([clip], out)
    assert names(out) == ["clip.mp4", "clip_2.mp4"]


def test_folder_of_images_becomes_a_video(tmp_path, out):
    for number, size in enumerate([(64, 48), (48, 64), (64, 48)]):
        image = QImage(*size, QImage.Format.Format_RGB32)
        image.fill(QColor(200, 200, 200))
        (tmp_path / "album").mkdir(exist_ok=True)
        assert image.save(str(tmp_path / "album" / f"{number}.png"))
    assert run([str(tmp_path / "album")], out) == 0
    facts = read_video(out / "album.mp4")
    assert facts.size_wh == (64, 48)
    assert len(facts.times_s) == 3


def test_output_that_cannot_be_written_has_its_own_exit_code(clip, tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    assert run([clip], tmp_path / "taken", "jsonl") == RecordingError.exit_code
    assert "Choose another folder" in capsys.readouterr().err


def test_a_full_disk_ends_the_source_and_keeps_the_results_so_far(clip, out, monkeypatch, capsys):
    monkeypatch.setattr(segment.VideoWriter, "write", _refuse)
    assert run([clip], out, "video", "jsonl") == RecordingError.exit_code
    assert "disk is full" in capsys.readouterr().err
    assert names(out) == ["clip.jsonl"]


def test_a_job_without_a_frame_has_no_rate():
    assert job.ProcessJob(pipeline=None, spec=None, options=None).fps == 0


def _refuse(*_: object) -> None:
    raise RecordingError("Recording stopped: the disk is full.")


def test_command_writes_a_video_when_no_output_is_named(clip, out, monkeypatch):
    seen: list[ProcessOptions] = []
    monkeypatch.setattr(
        process, "process_sources", lambda _, options, **_run: seen.append(options) or 3
    )
    arguments = ["process", clip, "--out", str(out), "--conf", "0.3", "--nms", "soft-linear"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 3
    (options,) = seen
    assert options.outputs == ("video",)
    assert options.changes == {"score": 0.3, "nms": "soft-linear"}
    assert options.style == OverlayStyle()


@pytest.mark.parametrize(
    "drawn",
    [("--anonymise", "--smooth-landmarks", "--track"), ("--blur", "--smooth", "--follow")],
    ids=["today", "version 0.1"],
)
def test_command_takes_each_output_and_drawing_option(drawn, clip, out, monkeypatch):
    seen: list[ProcessOptions] = []
    monkeypatch.setattr(
        process, "process_sources", lambda _, options, **_run: seen.append(options) or 0
    )
    arguments = ["--raw", "--voc", "--yolo", "--every", "3", "--png", *drawn]
    done = CliRunner().invoke(main, ["process", clip, "--out", str(out), *arguments])
    assert done.exit_code == 0
    (options,) = seen
    assert options.outputs == ("raw", "voc", "yolo")
    assert (options.every, options.image_suffix) == (3, ".png")
    assert options.style == OverlayStyle(anonymise=True, smooth_landmarks=True, tracks=True)
    assert options.following == TrackingOptions(smooth=True, track=True)


def test_the_window_s_model_is_refused_once_its_file_is_another(clip, out):
    given = ["process", clip, "--out", str(out), "--csv", "--model", "face-ssd"]
    done = CliRunner().invoke(main, [*given, "--model-hash", "c0ffee"])
    assert done.exit_code == 4
    assert "face-ssd has changed since it was opened. Open it again." in done.stderr
    assert not list(out.glob("*.csv"))
    content = load_engine(ProcessOptions(out, model="face-ssd")).model_hash
    done = CliRunner().invoke(main, [*given, "--model-hash", content])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("option", [("--every", "5"), ("--png",)], ids=["every", "png"])
def test_command_refuses_options_of_images_where_none_is_written(option, clip, out):
    done = CliRunner().invoke(main, ["process", clip, "--out", str(out), "--jsonl", *option])
    assert done.exit_code == 2
    assert f"{option[0]} is for --voc and --yolo. Add one of them" in done.stderr
    assert not out.exists()


def test_command_needs_a_source_and_a_folder(clip):
    assert CliRunner().invoke(main, ["process", "--out", "x"]).exit_code == 2
    assert CliRunner().invoke(main, ["process", clip]).exit_code == 2


INTERRUPTED = """
import sys, signal
sys.path.insert(0, sys.argv[3])
from pathlib import Path
import click
from kpviewer.cli import process
from kpviewer.processing.options import ProcessOptions
from test_process import BoxEngine

class Slow(BoxEngine):
    seen = 0

    def infer(self, bgr):
        self.seen += 1
        if self.seen == 5:
            print("started", flush=True)
            sys.stdin.readline()
        return super().infer(bgr)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
options = ProcessOptions(Path(sys.argv[1]), ("video", "jsonl"))
try:
    process.process_sources([sys.argv[2]], options, engine=Slow())
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_finishes_the_files(clip, out):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    arguments = [
        sys.executable,
        "-c",
        INTERRUPTED,
        str(out),
        clip,
        str(Path(__file__).parent),
    ]
    with subprocess.Popen(
        arguments,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None and running.stdin is not None
        assert running.stdout.readline() == "started\n"
        running.send_signal(signal.SIGINT)
        running.stdin.write("\n")
        running.stdin.flush()
        output, errors = running.communicate(timeout=250)
    assert running.returncode == 130, errors
    assert "Traceback" not in errors
    assert names(out) == ["clip.jsonl", "clip.mp4"]
    lines = (out / "clip.jsonl").read_text().splitlines()
    assert len(read_video(out / "clip.mp4").times_s) == len(lines) - 1 >= 4
    assert f"{clip}: " in output


class Signalled(BoxEngine):
    """Engine that sends a signal to its process at the fifth image and continues."""

    def __init__(self, number: int) -> None:
        self.number, self.seen = number, 0

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        self.seen += 1
        if self.seen == 5:
            os.kill(os.getpid(), self.number)
        return super().infer(bgr)


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_finish_the_files_and_say_so(tmp_path, out, name, capsys):
    number = getattr(signal, name)
    clip = make_clip(tmp_path / "clip.mp4", frames=3000)
    before = signal.getsignal(number)
    options = ProcessOptions(out, ("video", "jsonl", "coco"))
    with pytest.raises(Interrupted) as raised:
        process_sources([clip, clip], options, engine=Signalled(number))
    assert raised.value.exit_code == 128 + number
    assert signal.getsignal(number) is before
    assert [path for path in names(out) if path.startswith("clip_2")] == []  # not the next source
    assert {"clip.json", "clip.jsonl", "clip.mp4"} <= set(names(out))
    assert not list(out.glob("*.part"))
    lines = (out / "clip.jsonl").read_text().splitlines()
    assert 4 <= len(lines) - 1 < 3000
    assert abs(len(read_video(out / "clip.mp4").times_s) - (len(lines) - 1)) <= 1
    json.loads((out / "clip.json").read_text())
    assert f"ended by {name}" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_a_signal_lets_the_call_of_the_pipeline_return(clip, out, monkeypatch):
    """An exception within it could keep a lock, and the threads would wait for that for ever."""
    join, returned = Pipeline.join, []

    def signalled(pipeline: Pipeline, timeout_s: float | None = None) -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        returned.append(join(pipeline, timeout_s))
        return returned[-1]

    monkeypatch.setattr(Pipeline, "join", signalled)
    with pytest.raises(Interrupted):
        process_sources([clip], ProcessOptions(out, ("jsonl",)), engine=BoxEngine())
    assert len(returned) == 1


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_exit_code_is_that_of_the_signal(clip, out, monkeypatch, number, code):
    def interrupted(*_: object, **_run: object) -> int:
        raise Interrupted(number)

    monkeypatch.setattr(process, "process_sources", interrupted)
    assert CliRunner().invoke(main, ["process", clip, "--out", str(out)]).exit_code == code


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGHUP")
def test_signal_that_is_ignored_from_outside_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as by nohup
    try:
        with interrupts_raised():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(sys.platform == "win32", reason="open files can't be removed there")
def test_a_removed_output_is_saved_again_and_reported(tmp_path, out, capsys):
    clip = make_clip(tmp_path / "clip.mp4", frames=3000)

    class Remover(BoxEngine):
        seen = 0

        def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
            self.seen += 1
            if self.seen == 200:
                shutil.rmtree(out)
            return super().infer(bgr)

    options = ProcessOptions(out, ("video", "jsonl"))
    assert process_sources([clip], options, engine=Remover()) == RecordingError.exit_code
    assert "was removed or moved while it was written" in capsys.readouterr().err
    assert 100 <= len(read_video(out / "clip.mp4").times_s) <= 3000
    assert len((out / "clip.jsonl").read_text().splitlines()) > 100


def test_a_list_that_cannot_be_read_is_an_error_of_the_source(out):
    done = CliRunner().invoke(main, ["process", "--list", "gone.txt", "--out", str(out)])
    assert done.exit_code == SourceError.exit_code
    assert done.output.startswith("Error: The list gone.txt can't be read")


def test_names_cannot_control_a_terminal(clip, out, capsys):
    named = Path(clip).rename(Path(clip).with_name("a\x1b]0;b\x07.mp4"))
    bad = named.with_name("\x1b[32mbad.mp4")
    bad.write_text("x")
    assert run([str(named), str(bad)], out, "jsonl") == 1
    shown = "".join(capsys.readouterr())
    assert "\x1b" not in shown
    assert r"a\x1b]0;b\x07.mp4: 12 frames in" in shown and r"\x1b[32mbad.mp4 is not" in shown


def test_files_of_an_interrupted_run_are_reported(clip, out, capsys):
    out.mkdir()
    (out / "old.jsonl.part").write_text("{}\n")
    assert run([clip], out) == 0
    assert "old.jsonl.part of an interrupted run" in capsys.readouterr().err


def test_a_disk_that_never_answers_does_not_delay_the_end(clip, out, monkeypatch, capsys):
    answers, usage = threading.Event(), shutil.disk_usage

    def ask(path: Path) -> object:
        assert answers.wait(60)
        return usage(path)

    def interrupt(console: process_console.Console, text: str) -> None:
        if "Waiting for it" in text:  # the user has seen it
            raise Interrupted(signal.SIGINT)
        warn(console, text)

    warn = process_console.Console.warn
    monkeypatch.setattr(files.shutil, "disk_usage", ask)
    monkeypatch.setattr(job, "_SILENT_S", 0.1)
    monkeypatch.setattr(job, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(pipeline_run, "SINKS_S", 0.2)
    monkeypatch.setattr(process_console.Console, "warn", interrupt)
    try:
        assert run([clip], out) == RecordingError.exit_code
    finally:
        answers.set()
    assert "does not answer: files may lack their end" in capsys.readouterr().err


def test_a_slow_disk_is_waited_for_at_the_end(clip, out, monkeypatch):
    def close_slowly(writer: results.ResultWriter) -> Path | None:
        with disk_call():
            eventually(lambda: disk_silence_s(threading.current_thread()) > 0.4)
        return close(writer)

    close = results.ResultWriter.close
    monkeypatch.setattr(results.ResultWriter, "close", close_slowly)
    monkeypatch.setattr(jobs, "_CLOSE_SILENT_S", 0.05)  # what a closing window waits
    assert run([clip], out, "jsonl") == 0


GOOD = ["with_audio.mp4", "intel_asl_walk.mkv", "odd_size.mp4", "rotated.mp4", "vfr.mkv"]


@pytest.mark.parametrize(
    "name", [GOOD[0], *(pytest.param(name, marks=pytest.mark.slow) for name in GOOD[1:])]
)
def test_real_clips_lose_no_frame(shared_data, name, out):
    clip = shared_data / "videos" / name
    with av.open(str(clip)) as container:
        expected = sum(1 for _ in container.decode(video=0))
    assert run([str(clip)], out) == 0
    assert len(read_video(out / (clip.stem + ".mp4")).times_s) == expected


@pytest.mark.parametrize("name", ["truncated.mp4", "text_renamed.mp4", "zero_bytes.mp4"])
def test_broken_clips_are_reported_in_one_line(shared_data, name, out, capsys):
    assert run([str(shared_data / "videos" / name)], out) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: ") and name in line
    assert not out.exists()


class PoseEngine(BoxEngine):
    """Engine that is sure of one keypoint of its object and not of the other."""

    spec = replace(
        BoxEngine.spec,
        task=Task.DETECT_KEYPOINTS,
        keypoint_names=("nose", "chin"),
        keypoint_threshold=0.5,
    )

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        found, timings = super().infer(bgr)
        points = np.array([[[16, 12], [32, 24]]], np.float32)
        scores = np.array([[0.8, 0.3]], np.float32)
        return replace(found, keypoints_xy=points, keypoint_scores=scores), timings


@pytest.mark.parametrize(("given", "is_chin_there"), [({}, False), ({"keypoint": 0.3}, True)])
def test_confidence_of_keypoints_reaches_every_file(tmp_path, out, given, is_chin_there):
    picture = QImage(64, 48, QImage.Format.Format_RGB888)
    picture.fill(QColor(9, 9, 9))
    picture.save(str(tmp_path / "one.png"))
    kinds = ("video", "jsonl", "csv", "coco", "yolo")
    options = ProcessOptions(out, kinds, changes=given)
    assert process_sources([str(tmp_path / "one.png")], options, engine=PoseEngine()) == 0
    header, frame = map(json.loads, (out / "one.jsonl").read_text().splitlines())
    assert header["thresholds"]["keypoint"] == given.get("keypoint", 0.5)
    assert frame["detections"][0]["keypoint_scores"] == [0.8, 0.3]
    (row,) = csv.DictReader((out / "one.csv").read_text().splitlines())
    assert (row["nose_score"], row["chin_score"]) == ("0.8", "0.3")
    chin = [32, 24, 2] if is_chin_there else [0, 0, 0]
    (entry,) = json.loads((out / "one.json").read_text())
    (annotation,) = json.loads((out / "one_dataset.json").read_text())["annotations"]
    assert entry["keypoints"] == annotation["keypoints"] == [16, 12, 2, *chin]
    (labels,) = (out / "one_yolo/labels").glob("one*.txt")
    chin_text = "0.500000 0.500000 2" if is_chin_there else "0 0 0"
    assert labels.read_text().strip().endswith(f" 0.250000 0.250000 2 {chin_text}")
