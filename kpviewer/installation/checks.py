"""Checks of this installation, one function each, independent of how they are shown."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from kpviewer.errors import TORCH_CURE, KpviewerError
from kpviewer.installation import qt_libraries
from kpviewer.models.libraries.inference import ONNX_RUNTIMES, onnxruntime_conflict, version_of
from kpviewer.models.libraries.torch_needed import INSTALL, has_torch
from kpviewer.system.cpu_threads import available_cores, cpu_threads

REQUIRED = ("PyQt6", "PyQt6-Qt6", "pyqtgraph", "av", "numpy", "safetensors")
OPENCV_FLAVOURS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)


class State(StrEnum):
    """Outcome of a check."""

    OK = "ok"
    NOTE = "note"
    """Information that isn't an error."""
    PROBLEM = "problem"


_MARKS = {State.OK: "ok  ", State.NOTE: "note", State.PROBLEM: "NO  "}


@dataclass(frozen=True, slots=True)
class Check:
    """Result of a check, with a fix if there is a problem."""

    name: str
    state: State
    found: str
    cure: str = ""


def check_python() -> Check:
    """Check the Python interpreter and the system."""
    return Check("python", State.OK, f"{platform.python_version()} on {platform.platform()}")


def check_package(name: str, version: Callable[[str], str | None] = version_of) -> Check:
    """Check a package that kpviewer requires."""
    found = version(name)
    if found is None:
        what = ". (in a checkout of kpviewer)" if name == "kpviewer" else name
        return Check(name, State.PROBLEM, "not installed", f"pip install {what}")
    return Check(name, State.OK, found)


def check_opencv(version: Callable[[str], str | None] = version_of) -> Check:
    """Check that one of OpenCV's four distributions, which share a folder, is installed."""
    flavours = {name: found for name in OPENCV_FLAVOURS if (found := version(name))}
    listed = ", ".join(f"{name} {found}" for name, found in flavours.items())
    if len(flavours) == 1:
        return Check("opencv", State.OK, listed)
    cure = "pip install opencv-python"
    if flavours:
        cure = f"They overwrite each other: pip uninstall {' '.join(flavours)}, then {cure}"
    return Check("opencv", State.PROBLEM, listed or "not installed", cure)


def check_torch_pair() -> Check:
    """Check that torch and torchvision are builds of the same kind, by importing both."""
    name = "torch and torchvision"
    if version_of("torch") is None and version_of("torchvision") is None:
        cure = f"Shipped models and ONNX files run without it. For training and others: {INSTALL}"
        return Check(name, State.NOTE, "not installed", cure)
    try:
        import torch
        import torchvision
    except (ImportError, RuntimeError, OSError) as error:
        return Check(name, State.PROBLEM, str(error).splitlines()[0], TORCH_CURE)
    return Check(name, State.OK, f"{torch.__version__} with {torchvision.__version__}")


def check_device() -> Check:
    """Check for the fastest device that torch can use; without torch, it is the CPU."""
    found = f"CPU, {available_cores()} cores, {cpu_threads()} threads"
    if not has_torch():
        return Check("device", State.OK, found)
    try:
        import torch
    except (ImportError, RuntimeError, OSError):
        return Check("device", State.PROBLEM, "torch can't be imported", TORCH_CURE)
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        return Check("device", State.OK, f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB")
    if torch.backends.mps.is_available():
        return Check("device", State.OK, "Apple GPU (mps)")
    if Path("/proc/driver/nvidia/version").exists():
        cure = "Update the NVIDIA driver, or install the CUDA build of torch and torchvision."
        return Check("device", State.NOTE, f"{found}; an NVIDIA driver that torch can't use", cure)
    return Check("device", State.OK, found)


def check_openvino(version: Callable[[str], str | None] = version_of) -> Check:
    """Check OpenVINO, which speeds up models on CPUs but isn't required."""
    found = version("openvino")
    if found is None:
        cure = 'Models run slower on a CPU without it: pip install "kpviewer[openvino]".'
        return Check("openvino", State.NOTE, "not installed", cure)
    return Check("openvino", State.OK, found)


def check_onnxruntime(version: Callable[[str], str | None] = version_of) -> Check:
    """Check ONNX Runtime, one of whose distributions runs ONNX files."""
    found = [f"{name} {number}" for name in ONNX_RUNTIMES if (number := version(name))]
    cure = onnxruntime_conflict(version)
    if not found or cure:
        cure = cure or "pip install onnxruntime"
        return Check("onnxruntime", State.PROBLEM, ", ".join(found) or "not installed", cure)
    return Check("onnxruntime", State.OK, found[0])


def check_qt_libraries() -> Check:
    """Check that the dynamic linker finds the libraries that Qt requires."""
    missing = qt_libraries.missing_packages(qt_libraries.needed_libraries())
    if missing:
        cure = qt_libraries.install_command(missing)
        return Check("Qt's system libraries", State.PROBLEM, f"missing: {', '.join(missing)}", cure)
    return Check("Qt's system libraries", State.OK, "all installed")


def check_display() -> Check:
    """Check whether a window can open."""
    named = map(os.environ.get, ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY"))
    found = next(filter(None, named), "")
    if qt_libraries.has_display():
        return Check("display", State.OK, found or sys.platform)
    cure = "kpviewer runs without a window and writes an annotated video."
    found = f"{found} can't be opened" if found else "none"
    return Check("display", State.NOTE, found, cure)


def check_encoder() -> Check:
    """Check the H.264 encoder for recordings, x264 in PyAV's wheel."""
    name = "video encoder"
    try:
        from av.codec import Codec

        Codec("libx264", "w")
    except (ImportError, ValueError) as error:
        cure = "Install PyAV's own wheel: pip install --force-reinstall --no-cache-dir av"
        return Check(name, State.PROBLEM, f"no libx264 ({error})", cure)
    return Check(name, State.OK, "H.264 (libx264)")


def check_models() -> Check:
    """Check the shipped weight files against their manifest."""
    from kpviewer.models.files.catalogue import available_models

    name, cure = "shipped models", "Reinstall kpviewer, or fetch the file again with git."
    try:
        models = available_models()
    except KpviewerError as error:
        return Check(name, State.PROBLEM, str(error), cure)
    damaged = [model.path.name for model in models if not model.is_intact()]
    if damaged or not models:
        found = f"different from the manifest: {', '.join(damaged)}" if damaged else "none"
        return Check(name, State.PROBLEM, found, cure)
    return Check(name, State.OK, ", ".join(model.name for model in models))


def check_cameras(nodes: Collection[Path] | None = None) -> Check:
    """Check which cameras there are, and whether Linux lets this user read them."""
    nodes = sorted(Path("/dev").glob("video*")) if nodes is None else nodes
    locked = [str(node) for node in nodes if not os.access(node, os.R_OK | os.W_OK)]
    if locked:
        cure = "sudo usermod -aG video $USER, then log in again"
        return Check("cameras", State.PROBLEM, f"not allowed to read {', '.join(locked)}", cure)
    from kpviewer.sources.devices.camera import list_cameras

    names = [camera.name for camera in list_cameras()]
    if names:
        return Check("cameras", State.OK, ", ".join(names))
    return Check("cameras", State.NOTE, "none found", "kpviewer opens its demo instead.")


def check_folder(name: str, folder: Path) -> Check:
    """Check that a folder, or the nearest existing one above it, is writable."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return Check(name, State.OK, str(folder))
    except OSError as error:
        cure = f"Make {folder} a folder that you may write to."
        return Check(name, State.PROBLEM, f"can't write: {error.strerror}", cure)


def all_checks() -> list[Check]:
    """Run all checks, fast ones first."""
    return [
        check_python(),
        check_package("kpviewer"),
        *map(check_package, REQUIRED),
        check_opencv(),
        check_torch_pair(),
        check_device(),
        check_openvino(),
        check_onnxruntime(),
        check_display(),
        check_qt_libraries(),
        check_encoder(),
        check_models(),
        check_cameras(),
        check_folder("video folder", platformdirs.user_videos_path()),
    ]


def report(checks: Collection[Check]) -> str:
    """Return results as lines of text, each with its fix below."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{_MARKS[check.state]}  {check.name:{width}}  {check.found}")
        if check.cure:
            lines.append(f"{'':{width + 6}}  -> {check.cure}")
    return "\n".join(lines)
