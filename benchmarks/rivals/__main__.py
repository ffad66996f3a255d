r"""Compare kpviewer's speed with what people use: the same network and video in each.

    python3.11 -m venv build/rivals
    build/rivals/bin/pip install -e . -r benchmarks/rivals/requirements.txt
    build/rivals/bin/python -m benchmarks.rivals

Networks are FOLDER/NAME.onnx. yolo11n and yolo26n are made if they aren't there, with random
weights, by Ultralytics' own exporter. These show the speed of one precision only: kpviewer takes a
faster one if results agree, and those of random weights don't. So train one, on images of any
data set, and give a video in which there is something to find:

    build/rivals/bin/yolo train model=yolo11n.yaml data=DATA.yaml imgsz=640 epochs=100
    build/rivals/bin/yolo export model=runs/detect/train/weights/best.pt format=onnx imgsz=640
    mkdir build/trained && mv runs/detect/train/weights/best.onnx build/trained/yolo11n.onnx
    build/rivals/bin/python -m benchmarks.rivals --folder build/trained --models yolo11n \
        --source VIDEO

The first frames of the source become a video in H.264. Each side runs in a process of its own; in
each block all sides run in turn, the others idle. Rates include reading the video, and finishing
what is written. Roboflow's pins contradict the rest, so that it needs an environment of its own,
kpviewer's included, which --python roboflow=PATH names.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import click
from tabulate import tabulate

from benchmarks.rivals.preparing import export_network, frames, write_video
from benchmarks.rivals.sides import SIDES
from kpviewer.recording.files import safe_stem
from kpviewer.system.cpu_threads import available_cores
from kpviewer.system.processor import processor_name

MODES = {"detect": (False, False), "draw": (True, False), "draw, record": (True, True)}
"""Whether each mode draws, and whether it records."""
WARM_UP_FRAMES = 12


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    only: str
    """Sides, separated by commas."""
    blocks: int
    frames: int
    """Frames of the video."""
    source: str
    """Source of the frames, as for ``kpviewer view``."""
    confidence: float
    iou: float

    def video(self, folder: Path) -> Path:
        """Return the path of the video."""
        return folder / f"{safe_stem(self.source)}-{self.frames}.mp4"

    def short(self, folder: Path) -> Path:
        """Return the path of the video of the warm-up."""
        return folder / f"{safe_stem(self.source)}-{WARM_UP_FRAMES}.mp4"


@dataclass
class Row:
    """Figures of one side in one mode."""

    model: str
    side: str
    mode: str
    versions: str = ""
    fps: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    boxes: float = 0.0
    """Boxes a frame."""

    def note(self, answer: Mapping[str, Any], count: int) -> None:
        """Add a block of ``count`` frames."""
        self.fps.append(count / answer["seconds"])
        self.cpu_ms.append(1e3 * answer["cpu_seconds"] / count)
        self.boxes, self.versions = answer["boxes"] / count, answer["versions"]


class Worker:
    """Process of one side."""

    def __init__(self, python: str, side: str, model: Path, plan: Plan) -> None:
        words = [python, "-m", "benchmarks.rivals.worker", side, str(model)]
        words += [str(plan.confidence), str(plan.iou)]
        self._folder, self._log = model.parent, model.parent / f"{model.stem} {side}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def run(self, video: Path, mode: str) -> dict[str, Any]:
        """Run a video; the answer has ``seconds``, ``cpu_seconds``, ``boxes`` and ``versions``.

        Raises:
            RuntimeError: if the process has ended.
        """
        draws, records = MODES[mode]
        questions, answers = self._process.stdin, self._process.stdout
        assert questions is not None and answers is not None
        with TemporaryDirectory(dir=self._folder) as target:
            recorded = str(Path(target, "recorded.mp4")) if records else None
            task = {"video": str(video), "draws": draws, "target": recorded}
            with suppress(BrokenPipeError):
                questions.write(json.dumps(task) + "\n")
                questions.flush()
            line = answers.readline()
        if not line:
            raise RuntimeError(f"its process ended. See {self._log}.")
        return dict(json.loads(line))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(60)


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("build/rivals-files"))
@click.option("--models", default="yolo11n,yolo26n", show_default=True)
@click.option("--only", default=",".join(SIDES), help="Sides, separated by commas.")
@click.option("--blocks", default=5, show_default=True)
@click.option("--frames", default=60, show_default=True, help="Frames of the video.")
@click.option("--source", default="synthetic:1280x720", show_default=True)
@click.option("--conf", "confidence", default=0.5, show_default=True)
@click.option("--iou", default=0.7, show_default=True)
@click.option("--python", "pythons", multiple=True, metavar="SIDE=PATH")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(
    folder: Path, models: str, pythons: tuple[str, ...], json_path: Path | None, **given: Any
) -> None:
    """Run all sides in turn, and print a table for docs/reference/performance.md."""
    plan = Plan(**given)
    folder.mkdir(parents=True, exist_ok=True)
    for path, count in ((plan.video(folder), plan.frames), (plan.short(folder), WARM_UP_FRAMES)):
        if not path.exists():
            write_video(path, frames(plan.source, count))
    own = dict(each.split("=", 1) for each in pythons)
    rows: list[Row] = []
    for name in models.split(","):
        model = folder / f"{name}.onnx"
        if not model.exists():
            export_network(model, name, frames(plan.source, 36)[::6])
        with workers(plan, own, model) as sides:
            found = measure(sides, plan, model)
        print(table(found), "\n", flush=True)
        rows += found
    if json_path is not None:
        machine = {"processor": processor_name(), "cores": available_cores()}
        system = {**machine, "platform": platform.platform(), **asdict(plan)}
        json_path.write_text(json.dumps({**system, "rows": [asdict(row) for row in rows]}))


@contextmanager
def workers(plan: Plan, pythons: Mapping[str, str], model: Path) -> Iterator[dict[str, Worker]]:
    """Start a process for each side; they end with the block."""
    started = {
        side: Worker(pythons.get(side, sys.executable), side, model, plan)
        for side in plan.only.split(",")
    }
    try:
        yield started
    finally:
        for worker in started.values():
            worker.close()


def measure(sides: Mapping[str, Worker], plan: Plan, model: Path) -> list[Row]:
    """Run every side in every mode once a block; a side that fails is left out, with a note."""
    folder, rows = model.parent, dict[tuple[str, str], Row]()
    for side, worker in sides.items():
        try:
            for mode in MODES:
                worker.run(plan.short(folder), mode)
                rows[side, mode] = Row(model.stem, side, mode)
        except RuntimeError as error:
            print(f"{side} is left out: {error}", file=sys.stderr)
            rows = {key: row for key, row in rows.items() if key[0] != side}
    rows = {key: rows[key] for key in sorted(rows, key=lambda key: list(MODES).index(key[1]))}
    for _ in range(plan.blocks):
        for (side, mode), row in rows.items():
            row.note(sides[side].run(plan.video(folder), mode), plan.frames)
    return list(rows.values())


def table(rows: list[Row]) -> str:
    """Return the table: rates, and kpviewer's rate over that of each, by block."""
    ours = {row.mode: row.fps for row in rows if row.side == "kpviewer"}
    cells = []
    for row in rows:
        fps = f"{median(row.fps):.1f} ({min(row.fps):.1f} to {max(row.fps):.1f})"
        ratio = ""
        if row.mode in ours and row.side != "kpviewer":
            ratios = [own / other for own, other in zip(ours[row.mode], row.fps, strict=True)]
            ratio = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        cpu = f"{median(row.cpu_ms):.0f}"
        cells.append(
            [row.model, row.mode, row.side, fps, ratio, cpu, f"{row.boxes:.1f}", row.versions]
        )
    head = ["model", "mode", "side", "fps", "kpviewer over it", "CPU ms", "boxes", "with"]
    return tabulate(cells, head, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    main()
