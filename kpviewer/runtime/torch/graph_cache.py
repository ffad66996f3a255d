"""Converted graphs of networks that users trained, kept from start to start.

Reading a kept graph is far faster than exporting the network; shipped models come with graphs. A
graph is kept for all that it depends on: weights, description, code of the networks, libraries,
precision and size of the input.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpviewer.config_files import cache_folder, graphs_folder
from kpviewer.models.libraries.inference import library, openvino_core
from kpviewer.models.tables import first_line
from kpviewer.runtime.content import model_hash

if TYPE_CHECKING:
    from kpviewer.models.base import Detector

MAX_GRAPHS = 24
MAX_GRAPH_BYTES = 32_000_000
"""Largest graph that is kept; those of the shipped architectures have 1 to 4 MB."""
_FILE = "graph.xml"
_OWN = ("kpviewer", "torch")
"""Packages whose code is known, by versions, sizes and times."""
_CODE = ("models", "runtime")
"""Parts of the package whose code makes graphs."""
_log = logging.getLogger(__name__)


def graph_key(detector: Detector, *variant: object) -> str | None:
    """Return what a graph depends on, as a hash; None if it depends on code of others.

    Args:
        detector: network of torch, description and decoding.
        variant: precision and shape.
    """
    kinds = [type(each) for each in (detector, *detector.network.modules())]
    if any(kind.__module__.partition(".")[0] not in _OWN for kind in kinds):
        return None
    content = model_hash(detector)
    if content is None:
        return None
    versions = [f"{name} {metadata.version(name)}" for name in ("torch", "openvino")]
    parts = [content, detector.spec.to_json(), repr(variant), *versions, *_code_state()]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def kept_graph(key: str, convert: Callable[[], Any]) -> Any:
    """Return OpenVINO's model that was kept for a key, or convert and keep it.

    Where the folder can't be used, it is converted at each start.
    """
    folder = graphs_folder(cache_folder()) / key
    if (folder / _FILE).is_file():
        try:
            return openvino_core().read_model(str(folder / _FILE))
        except RuntimeError as error:
            _log.info("A kept graph can't be read: %s", first_line(error))
            shutil.rmtree(folder, ignore_errors=True)
    model = convert()
    with contextlib.suppress(OSError, RuntimeError):
        _keep(model, folder)
    return model


def _keep(model: Any, folder: Path) -> None:
    """Write a model under a name of its own, then give it the name; drop the oldest."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as partial:
        library("openvino").save_model(model, str(Path(partial, _FILE)), compress_to_fp16=False)
        if sum(file.stat().st_size for file in Path(partial).iterdir()) > MAX_GRAPH_BYTES:
            return
        Path(partial, "ready").mkdir()
        for file in (_FILE, Path(_FILE).with_suffix(".bin").name):
            Path(partial, file).rename(Path(partial, "ready", file))
        Path(partial, "ready").rename(folder)
    graphs = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in graphs[:-MAX_GRAPHS]:
        shutil.rmtree(old, ignore_errors=True)


def _code_state() -> list[str]:
    """Return sizes and times of the code that makes graphs, which a checkout changes."""
    package = Path(__file__).resolve().parents[2]
    files = sorted(file for part in _CODE for file in (package / part).rglob("*.py"))
    return [f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
