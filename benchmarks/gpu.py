"""Everything about the GPU path in one command, in under ten minutes: is it right, and how fast.

    python benchmarks/gpu.py --yolo yolo11n.onnx --json gpu.json

It prints the machine, then tables: each shipped model on each backend against the CPU; uploads of
pinned uint8 images against pageable float32 inputs; ways to run a model, eagerly, in a captured
graph, and by torch.compile(mode="reduce-overhead"); batches of 1, 8 and 32; the pipeline's rate
over the bare model's; several streams. ``--device cpu`` runs the same steps with few frames, where
there is no GPU: its figures mean nothing.
"""

import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import torch
from tabulate import tabulate

import kpviewer
from kpviewer.errors import KpviewerError
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.loading import open_model
from kpviewer.models.networks.ssd.ssd300 import SSD300_SPEC, build_ssd300
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.models.spec import ModelSpec
from kpviewer.pipeline.measuring.benchmark import Plan, measure_pipeline
from kpviewer.pipeline.measuring.streams import measure_streams
from kpviewer.runtime.choosing.autotune import agrees
from kpviewer.runtime.cuda.program import Program, cast_once
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.torch.runner import DTYPES, eager_network
from kpviewer.sources.base import new_image
from kpviewer.sources.resizing import resized
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.sources.synthetic.simulated_camera import SimulatedCamera
from kpviewer.sources.synthetic.source import synthetic_source
from kpviewer.sources.synthetic.video import GeneratedVideo
from kpviewer.structures import Candidates, ImageArray

SHIPPED = ("face-ssd", "face-points", "cards-ssd", "strip-grid")
SIZES_WH = ((640, 480), (1280, 720), (1920, 1080))
BATCHES = (1, 8, 32)
STREAMS = (1, 4, 16)
CAMERA_FPS = 30.0

Rows = list[dict[str, Any]]


class Scale(NamedTuple):
    """Number of repetitions."""

    frames: int
    """Images of each measurement."""
    images: int
    """Images that results are compared on."""
    sizes_wh: Sequence[tuple[int, int]]
    batches: Sequence[int]
    streams: Sequence[int]


FULL = Scale(200, 20, SIZES_WH, BATCHES, STREAMS)
REDUCED = Scale(2, 1, ((64, 48),), (1, 2), (1,))


def print_table(title: str, rows: Rows) -> None:
    """Print a table."""
    click.echo(f"\n## {title}\n")
    click.echo(tabulate(rows, headers="keys", floatfmt=".3f", tablefmt="github"))


def machine(device: torch.device) -> dict[str, Any]:
    """Return what the figures depend on."""
    facts: dict[str, Any] = {
        "kpviewer": kpviewer.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "processor": platform.processor() or platform.machine(),
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        facts |= {
            "gpu": properties.name,
            "memory_gb": round(properties.total_memory / 1e9, 1),
            "capability": f"{properties.major}.{properties.minor}",
            "cuda": torch.version.cuda,
        }
    return facts


def demo_images(count: int, size_wh: tuple[int, int]) -> list[ImageArray]:
    """Return frames of the demo, each resized."""
    source = DemoSource()
    source.open()
    images = []
    for _ in range(count):
        captured = source.read(new_image)
        assert captured is not None, "the demo has frames"
        images.append(np.array(resized(captured.bgr, size_wh[::-1])))
    source.close()
    return images


def correctness(device: str, models: Sequence[str], scale: Scale) -> Rows:
    """Compare the candidates of each model on each backend with those of the CPU, in fp32."""
    rows: Rows = []
    images = demo_images(scale.images, scale.sizes_wh[-1])
    for name in models:
        detector = open_model(name)
        exact = Executor(detector, "cpu", "fp32", "torch", measures=False)
        expected = [exact.infer(bgr)[0] for bgr in images]
        for backend, precision in Executor(detector, device, measures=False).choices:
            engine = Executor(detector, device, precision, backend)
            engine.warm_up(images[0].shape[:2])
            tickets = [engine.submit(bgr) for bgr in images]
            found = [ticket.result()[0] for ticket in tickets]
            alike = [same(*pair, detector.spec) for pair in zip(expected, found, strict=True)]
            rows.append(
                {
                    "model": name,
                    "backend": f"{engine.backend} {engine.precision}",
                    "images alike": f"{sum(alike)} of {len(alike)}",
                    "in flight": engine.frames_in_flight,
                    "notice": engine.notice or "",
                }
            )
    return rows


def same(exact: Candidates, other: Candidates, spec: ModelSpec) -> bool:
    """Return whether the best candidates agree, to half a pixel and 0.02 in score."""
    packed = [
        np.concatenate([each.xyxy, each.scores, each.keypoints_xy.reshape(len(each), -1)], 1)
        for each in (exact, other)
    ]
    return agrees(packed[0], packed[1], len(spec.class_names), len(spec.keypoint_names))


def uploads(device: torch.device, scale: Scale) -> Rows:
    """Time copies to the device: pinned uint8 images against pageable float32 inputs."""
    rows: Rows = []
    is_cuda = device.type == "cuda"
    for width, height in scale.sizes_wh:
        whole = torch.zeros(height, width, 3, dtype=torch.uint8, pin_memory=is_cuda)
        target = torch.empty(whole.shape, dtype=torch.uint8, device=device)
        pageable = torch.zeros(3, height, width)
        rows.append(
            {
                "size": f"{width}x{height}",
                "pinned uint8, ms": rate_ms(
                    lambda: target.copy_(whole, non_blocking=True),  # noqa: B023
                    device,
                    scale.frames,
                ),
                "pageable float32, ms": rate_ms(
                    lambda: pageable.to(device, copy=True),  # noqa: B023
                    device,
                    scale.frames,
                ),
            }
        )
    return rows


def rate_ms(work: Callable[[], object], device: torch.device, count: int) -> float:
    """Return the time of one of many calls, ms: the median of five blocks."""
    blocks = []
    for _ in range(5):
        synchronize(device)
        began_s = time.perf_counter()
        for _ in range(count):
            work()
        synchronize(device)
        blocks.append((time.perf_counter() - began_s) / count * 1e3)
    return statistics.median(blocks)


def synchronize(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ways(device: torch.device, detectors: dict[str, Any], scale: Scale) -> Rows:
    """Time a model from images in memory to candidates: eager, captured, and compiled."""
    rows: Rows = []
    size_wh = scale.sizes_wh[min(1, len(scale.sizes_wh) - 1)]
    bgr = demo_images(1, size_wh)[0]
    for name, detector in detectors.items():
        for precision in ("fp32", "fp16") if device.type == "cuda" else ("fp32",):
            engine = Executor(detector, str(device), precision, measures=scale is FULL)
            engine.warm_up(bgr.shape[:2])
            program = program_of(detector, device, bgr.shape[:2], precision)
            example = torch.from_numpy(bgr)[None].to(device)
            with torch.inference_mode():
                row = {
                    "model": name,
                    "precision": precision,
                    "one by one, ms": rate_ms(lambda: engine.infer(bgr), device, scale.frames),  # noqa: B023
                    "in flight, ms": rate_ms(in_flight(engine, bgr), device, scale.frames),
                    "eager, ms": rate_ms(lambda: program(example), device, scale.frames),  # noqa: B023
                }
                if device.type == "cuda":
                    row["reduce-overhead, ms"] = compiled_ms(program, example, scale.frames)
            rows.append(row)
    return rows


def program_of(
    detector: Any, device: torch.device, source_hw: tuple[int, int], precision: str
) -> Program:
    """Return the program of a detector for images of one size."""
    network = cast_once(eager_network(detector, device), DTYPES[precision])
    box = letterbox_of(detector.spec, source_hw)
    return Program(detector, network, source_hw, box, DTYPES[precision])


def in_flight(engine: Executor, bgr: ImageArray) -> Callable[[], object]:
    """Return a call that begins with an image and ends the one before."""
    pending = [engine.submit(bgr)]

    def step() -> None:
        pending.append(engine.submit(bgr))
        pending.pop(0).result()

    return step


def compiled_ms(program: Program, example: torch.Tensor, count: int) -> float:
    """Time torch's own compilation with CUDA graphs, with inputs on the device; nan: it failed."""
    with suppress(Exception):  # no compiler, no Triton
        compiled = torch.compile(program, mode="reduce-overhead", dynamic=False)
        for _ in range(4):
            compiled(example)
        return rate_ms(lambda: compiled(example), example.device, count)
    return float("nan")


def batches(device: torch.device, detectors: dict[str, Any], scale: Scale) -> Rows:
    """Time batches on the device: images a second of the bare program."""
    rows: Rows = []
    width, height = scale.sizes_wh[0]
    for name, detector in detectors.items():
        program = program_of(
            detector, device, (height, width), "fp16" if device.type == "cuda" else "fp32"
        )
        row: dict[str, Any] = {"model": name}
        for count in scale.batches:
            images = torch.zeros(count, height, width, 3, dtype=torch.uint8, device=device)
            with torch.inference_mode():
                spent_ms = rate_ms(
                    lambda: program(images),  # noqa: B023
                    device,
                    max(1, scale.frames // count),
                )
            row[f"batch {count}, images/s"] = count / spent_ms * 1e3
        rows.append(row)
    return rows


def efficiency(device: str, detectors: dict[str, Any], scale: Scale) -> Rows:
    """Compare the pipeline's rate from memory with that of the engine alone."""
    rows: Rows = []
    for name, detector in detectors.items():
        for width, height in scale.sizes_wh:
            engine = Executor(detector, device, measures=scale is FULL)
            engine.warm_up((height, width))
            bgr = demo_images(1, (width, height))[0]
            bare_ms = rate_ms(in_flight(engine, bgr), torch.device(device), scale.frames)
            block = measure_pipeline(
                in_memory((width, height)), engine, Plan(max(2, scale.frames), warm_up=3)
            )
            rows.append(
                {
                    "model": name,
                    "size": f"{width}x{height}",
                    "backend": f"{engine.backend} {engine.precision}",
                    "engine, fps": 1e3 / bare_ms,
                    "pipeline, fps": block.fps,
                    "ratio": block.fps * bare_ms / 1e3,
                }
            )
    return rows


def in_memory(size_wh: tuple[int, int]) -> GeneratedVideo:
    """Return a video whose frames are in memory."""
    return synthetic_source(f"synthetic:{size_wh[0]}x{size_wh[1]}")


def streams(device: str, model: str, scale: Scale) -> Rows:
    """Measure cameras that share a model."""
    engine = Executor(open_model(model), device, measures=scale is FULL)
    engine.warm_up(scale.sizes_wh[0][::-1])
    rows: Rows = []
    for count in scale.streams:
        cameras = [
            SimulatedCamera(in_memory(scale.sizes_wh[0]), row / count / CAMERA_FPS)
            for row in range(count)
        ]
        block = measure_streams(cameras, engine, frames=max(2, scale.frames // 4))
        rows.append({"streams": count, "fps": block.fps, "fairness": block.fairness})
    return rows


def steps(
    device: torch.device, models: Sequence[str], yolo: Path | None, scale: Scale
) -> Iterator[tuple[str, Callable[[], Rows]]]:
    """Yield the parts by title."""
    detectors: dict[str, Any] = {models[0]: as_torch(open_model(models[0]))}
    if scale is FULL:
        detectors["ssd300, random weights"] = build_ssd300(replace(SSD300_SPEC, name="ssd300"))
    files = [str(yolo)] if yolo else []
    name = str(device)
    yield "Against the CPU", lambda: correctness(name, [*models, *files], scale)
    yield "Uploads", lambda: uploads(device, scale)
    yield "Ways to run a model", lambda: ways(device, detectors, scale)
    yield "Batches", lambda: batches(device, detectors, scale)
    with_files = {**detectors, **{each: open_model(each) for each in files}}
    yield "Pipeline over engine", lambda: efficiency(name, with_files, scale)
    yield "Streams", lambda: streams(name, models[0], scale)


@click.command()
@click.option("--device", default="cuda:0", show_default=True, help="cuda:N, or cpu: reduced.")
@click.option("--models", default=",".join(SHIPPED), show_default=True)
@click.option("--yolo", type=click.Path(path_type=Path, exists=True), help="yolo11n.onnx")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all figures.")
def main(device: str, models: str, yolo: Path | None, json_path: Path | None) -> None:
    """Measure and print; a part that fails is reported, and the others go on."""
    place = torch.device(device)
    if place.type == "cuda" and not torch.cuda.is_available():
        raise click.UsageError("torch sees no NVIDIA GPU. Try --device cpu to see the steps.")
    scale = FULL if place.type == "cuda" else REDUCED
    report: dict[str, Any] = {"machine": machine(place)}
    print_table("Machine", [report["machine"]])
    failed = []
    for title, measure in steps(place, models.split(","), yolo, scale):
        try:
            report[title] = measure()
        except (KpviewerError, RuntimeError) as error:
            failed.append(title)
            report[title] = [{"failed": str(error)}]
        print_table(title, report[title])
    if json_path is not None:
        json_path.write_text(json.dumps(report, indent=1), "utf-8")
    if failed:
        raise click.ClickException(f"These parts failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
