"""No command looks up a name, connects, or writes where docs/reference/privacy.md doesn't say so.

They run in few processes, as their imports take long, each with a home of its own, and without
``CI`` in its environment, in which some libraries stay silent. Look-ups that a library makes by
itself, not through Python, are known by the files that such a library leaves.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from sample_clips import make_clip
from test_without_torch import BLOCK

from kpviewer.sources.opencv import cv2

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")

SPIED = """
import os, socket, sys

WATCHED = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr",
           "socket.sendto", "socket.sendmsg", "http.client.connect", "urllib.Request"}
spied = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
command = ""

def spy(event, args):
    if event in WATCHED and getattr(args[0], "family", None) != getattr(socket, "AF_UNIX", 0):
        os.write(spied, f"{command}: {event} {args}\\n".encode())  # a forked child does so, too
        raise OSError("nothing may be sent")

sys.addaudithook(spy)
from kpviewer.cli.main import main
for command in sys.argv[2:]:
    print("ran", command, flush=True)
    try:
        main.main(command.split(), "kpviewer")
    except SystemExit as ended:
        if ended.code and command != "checks":
            sys.exit(f"{command}: {ended.code}")
"""
slow = pytest.mark.slow
FAST = "--backend openvino --precision fp32"
"""Disables the benchmark of backends, which is slow on a busy machine."""
COMMANDS = [
    pytest.param((
        "models",
        "cameras",
        "install-desktop",
        "check-data yolo:.",
        "process images --model tiny.onnx --out out --jsonl",
        f"eval --model tiny.onnx --data yolo:. {FAST}",
        "bench --model tiny.onnx --frames 3",
    ), id="base"),
    pytest.param((
        "summary face-ssd",
        "calibrate face-ssd --data yolo:. --out int8.safetensors",
        "train light-ssd --data yolo:. --out run --set steps=1 --set batch=1 --set inputs=[96]"
        " --set input_shares=[1]",
        "checks",
    ), marks=slow, id="torch"),
]  # fmt: skip
SHIPPED = (
    "process clip.mp4 --out out --video --jsonl --track --scan",  # measures the backends
    f"process clip.mp4 --out out --csv --model strip-grid {FAST}",
    f"process clip.mp4 --out out --coco --voc --model two-stage:face-ssd+face-points {FAST}",
    f"eval --data yolo:. --report report --model face-ssd@320 {FAST}",
    f"bench --frames 3 --json out/bench.json --model face-ssd@96 {FAST}",
)
WINDOW = ("view clip.mp4 --seconds 3 --record out/seen.mp4",)
"""In a process of its own, as its window ends the process."""
LIMIT_S = 290
WRITTEN = (
    ".config/kpviewer/settings.toml",
    ".cache/kpviewer/backends.json",
    ".cache/kpviewer/compiled",
    ".config/matplotlib",
    ".cache/matplotlib",
    "Videos/kpviewer",
    ".local/share/applications/",  # the entry, and the index that desktops keep of entries
    ".local/share/icons/hicolor/scalable/apps/kpviewer.svg",
    "tmp/torchinductor_",
)
"""Prefixes of the documented paths in the home and temporary folders."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with an empty home, two annotated images and a tiny model."""
    (tmp_path / "home").mkdir()
    work = tmp_path / "work"
    for name in ("images", "labels"):
        (work / name).mkdir(parents=True)
    for stem, label in {"a": "0 0.5 0.5 0.4 0.4\n", "background": ""}.items():
        cv2.imwrite(str(work / "images" / f"{stem}.png"), np.full((64, 80, 3), 90, np.uint8))
        (work / "labels" / f"{stem}.txt").write_text(label)
    (work / "data.yaml").write_text("names: [face]\n")
    _write_tiny_model(work / "tiny.onnx")
    # Short, as the sockets between processes of torch bear its name, which has 108 letters at most.
    with tempfile.TemporaryDirectory(prefix="kp") as short:
        (tmp_path / "home" / "tmp").symlink_to(short, target_is_directory=True)
        yield tmp_path


def _write_tiny_model(path: Path) -> None:
    """Write a model that predicts one box for any image."""
    helper = onnx.helper
    box = onnx.numpy_helper.from_array(np.array([[[8, 8, 40, 40, 0.9, 0]]], np.float32))
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["boxes"], value=box)],
        "tiny",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("boxes", onnx.TensorProto.FLOAT, [1, 1, 6])],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path
    )
    path.with_suffix(".toml").write_text('classes = ["face"]\n[output]\nkind = "boxes"\n')


def _run(commands: Sequence[str], folder: Path, program: str = SPIED) -> str:
    """Run commands in ``folder``; return their network calls, one a line."""
    spied, home = folder / "spied", folder / "home"
    kept = {"PATH", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT", "OMP_NUM_THREADS", "VIRTUAL_ENV"}
    env = {name: value for name, value in os.environ.items() if name in kept}
    env |= {"HOME": str(home), "USERPROFILE": str(home), "TMPDIR": str((home / "tmp").resolve())}
    env |= {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", program, spied, *commands],
        cwd=folder / "work", env=env, capture_output=True, text=True, check=False,
        timeout=LIMIT_S - 10,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ran = [line[4:] for line in done.stdout.splitlines() if line.startswith("ran ")]
    assert ran == [*commands]
    return spied.read_text()


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("commands", COMMANDS)
def test_commands_send_nothing_and_write_only_documented_paths(commands, folder):
    assert _run(commands, folder) == ""
    assert _unknown_files(folder / "home") == []


@slow
@pytest.mark.timeout(LIMIT_S)
def test_shipped_models_do_all_that_without_torch(folder):
    make_clip(folder / "work" / "clip.mp4")
    for commands in (SHIPPED, WINDOW):
        assert _run(commands, folder, BLOCK + SPIED) == ""
    assert _unknown_files(folder / "home") == []
    out = folder / "work" / "out"
    assert len((out / "clip.jsonl").read_text().splitlines()) > 1
    assert (out / "clip.kpv").exists()
    assert json.loads((out / "bench.json").read_text())["versions"]["kpviewer"]


def _unknown_files(home: Path) -> list[str]:
    """Return the files in the home and temporary folders that the documents don't name."""
    places = {"": home, "tmp/": (home / "tmp").resolve()}
    files = [
        f"{prefix}{path.relative_to(place)}"
        for prefix, place in places.items()
        for path in place.rglob("*")
        if path.is_file()
    ]
    return [name for name in files if not name.startswith(WRITTEN)]


def test_the_spy_sees_network_calls(folder):
    program = (
        SPIED.partition("from kpviewer.cli.main import main")[0]
        + """
import urllib.request
for act in (lambda: socket.create_connection(("127.0.0.1", 9), 1),
            lambda: urllib.request.urlopen("http://127.0.0.1:9/", timeout=1)):
    try:
        act()
    except OSError:
        pass
if hasattr(os, "fork"):
    child = os.fork()
    if child == 0:
        try:
            socket.gethostbyname("example.invalid")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
"""
    )
    seen = _run((), folder, program)
    assert "socket.getaddrinfo" in seen
    assert "urllib.Request" in seen
    assert "socket.gethostbyname" in seen or not hasattr(os, "fork")
