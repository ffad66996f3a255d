"""Process many short clips in each way that ``kpviewer process`` has, and compare the files.

    python benchmarks/many_files.py [--clips 40] [--frames 60] [--ways plain jobs killed ray]

Beside the time it prints the cores that were busy on average, which limit what --jobs can win. One
clip is damaged. ``killed`` is ``--jobs 2`` of which one worker gets SIGKILL in the middle of a
clip. Each way must write the same bytes as ``plain``, and a right manifest. Linux only.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av

from kpviewer.sources.base import new_image
from kpviewer.sources.synthetic.demo import DemoSource

WAYS = {
    "plain": [],
    "jobs": ["--jobs", "2"],
    "killed": ["--jobs", "2"],
    "shards": [],
    "ray": ["--ray", "auto", "--jobs", "2"],
}
OUTPUTS = ["--video", "--jsonl", "--csv"]


def make_clips(folder: Path, count: int, length: int) -> list[Path]:
    """Cut the demo into clips of ``length`` frames; the middle one is damaged."""
    source = DemoSource()
    frames = source.open().frame_count or length
    paths = []
    for number in range(count):
        path = folder / f"clip{number:02d}.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
            for index in range(length):
                source.seek((number * 17 + index) % frames)
                captured = source.read(new_image)
                assert captured is not None
                frame = av.VideoFrame.from_ndarray(captured.bgr, format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        paths.append(path)
    source.close()
    damaged = paths[count // 2]
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 3])
    return paths


def cpu_seconds() -> float:
    """Return the processor time of all children that have ended, s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(way: str, clips: list[Path], out: Path, model: str) -> tuple[float, float, int]:
    """Process the clips; return the time and the processor time in s, and the exit code."""
    command = [sys.executable, "-m", "kpviewer", "process", *map(str, clips), "--out", str(out)]
    command += [*OUTPUTS, "--model", model, *WAYS[way]]
    commands = [[*command, "--shard", f"{number}/2"] for number in (1, 2)]
    began_s, used_s = time.monotonic(), cpu_seconds()
    running = [
        subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for each in (commands if way == "shards" else [command])
    ]
    if way == "killed":
        kill_worker(running[0].pid, out)
    ends = [each.communicate() for each in running]
    seconds = time.monotonic() - began_s
    assert not any("Traceback" in errors for _, errors in ends), ends
    return seconds, cpu_seconds() - used_s, max(each.returncode for each in running)


def kill_worker(parent: int, out: Path) -> None:
    """Kill a worker once a few clips are done, while it holds a claim on another."""
    manifest = out / "manifest.jsonl"
    while not (manifest.is_file() and manifest.read_text().count("\n") >= 5):
        time.sleep(0.02)
    while not list(out.glob("*.processing")):
        time.sleep(0.005)
    children = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    workers = [int(line.split()[0]) for line in children if "spawn_main" in line]
    os.kill(workers[0], signal.SIGKILL)


def differing(plain: Path, other: Path) -> list[str]:
    """Return the names of files that aren't in both folders with the same bytes."""
    folders = (plain, other)
    names = sorted(
        {
            path.name
            for folder in folders
            for path in folder.iterdir()
            if not path.name.startswith(("manifest", "backend_"))
        }
    )
    contents = [
        [(folder / name).read_bytes() if (folder / name).is_file() else None for folder in folders]
        for name in names
    ]
    return [name for name, (one, two) in zip(names, contents, strict=True) if one != two]


def states(out: Path) -> dict[str, str]:
    """Return the status of each source by the manifests."""
    lines = [line for path in out.glob("manifest*") for line in path.read_text().splitlines()]
    return {record["name"]: record["status"] for record in map(json.loads, lines)}


def main() -> None:
    """Run the ways in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--frames", type=int, default=60, help="frames of each clip")
    parser.add_argument("--model", default="face-ssd")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["plain", "jobs", "killed"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        (folder / "clips").mkdir()
        clips = make_clips(folder / "clips", given.clips, given.frames)
        expected = {path.stem: "ok" for path in clips} | {clips[given.clips // 2].stem: "failed"}
        print(f"{given.clips} clips of {given.frames} frames, 640x480, {os.cpu_count()} cores")
        print("| way | s | busy cores | exit code | files that differ from plain | manifest |")
        print("|---|---|---|---|---|---|")
        for way in dict.fromkeys(["plain", *given.ways]):
            seconds, used_s, code = run(way, clips, folder / way, given.model)
            differ = differing(folder / "plain", folder / way)
            manifest = "right" if states(folder / way) == expected else states(folder / way)
            found = f"{code} | {differ or 'none'} | {manifest}"
            print(f"| {way} | {seconds:.1f} | {used_s / seconds:.2f} | {found} |", flush=True)


if __name__ == "__main__":
    main()
