"""Law of the architecture, as functions from source text to violations.

``test_architecture.py`` applies it to the package; CONTRIBUTING.md documents it.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from graphlib import CycleError, TopologicalSorter

LEVELS = {
    "": 0,  # the package itself: its public names are of all levels and imported on use
    "errors": 0,
    "pipeline_status": 0,
    "plug_ins": 0,
    "structures": 0,
    "system": 0,
    "geometry": 0,
    "shipped": 0,
    "image_files": 0,
    "config": 0,
    "annotations": 1,
    "sources": 1,
    "models": 1,
    "metrics": 1,
    "runtime": 2,
    "training": 2,
    "pipeline": 3,
    "installation": 2,
    "desktop": 2,
    "overlay": 3,
    "evaluation": 4,
    "recording": 4,
    "exporting": 4,
    "scanning": 5,
    "history": 5,
    "serving": 5,
    "benchmarking": 6,
    "gui": 6,
    "processing": 6,
    "api": 7,
    "cli": 7,
    "__main__": 8,
}
GUI_LEVELS = {
    "translations": 0,
    "language": 0,
    "keys": 0,
    "options": 0,
    "crash_hooks": 0,
    "interrupts": 0,
    "background": 1,
    "settings": 1,
    "widgets": 1,
    "opening": 2,
    "saving": 3,
    "scanning": 3,
    "session": 4,
    "views": 4,
    "controllers": 5,
    "grid": 6,
    "main_window": 6,
    "app": 7,
}
"""Levels of the folders and modules of ``gui``."""
WITH_WIDGETS = {"widgets", "views", "controllers", "grid", "main_window", "app"}
"""Folders and modules of ``gui`` that may use Qt widgets and pyqtgraph."""
PURE_PARTS = {"annotations", "metrics"}
"""Parts with functions on arrays and files, which their own level may import."""

THREADED = {"pipeline", "processing", "recording", "runtime", "serving"}
ALLOWED_PARTS = {
    "PyQt6": {"gui", "overlay"},
    "PyQt6.QtWidgets": {"gui"},
    "pyqtgraph": {"gui"},
    "cv2": {"sources"},
    "kpviewer.sources.opencv": {"sources", "training", "runtime", "overlay", "recording"},
    "mss": {"sources"},
    "trackers": {"runtime"},
    "supervision": {"runtime"},
    "openvino": set(),  # kpviewer.models.libraries.inference imports them by name
    "onnxruntime": set(),
    "tensorrt": set(),
    "fastapi": {"serving"},  # these are of the extra serve
    "starlette": {"serving"},
    "pydantic": {"serving"},
    "uvicorn": {"serving"},
    "websockets": {"serving"},
    "prometheus_client": {"serving"},
    "python_multipart": {"serving"},
    "aiortc": {"serving"},
    "ifaddr": {"serving"},
    "segno": {"serving"},
    "cryptography": {"serving"},
    "ray": {"processing"},  # the extra of that name
    "threading": THREADED,
    "queue": THREADED,
    "concurrent.futures": THREADED,
}
"""Parts that may import a module; the longest matching name decides."""

EXCEPTIONS = {
    ("kpviewer.structures._detections", "supervision"),  # the type alone
    ("kpviewer.models.libraries.tracing", "threading"),  # torch's global state is shared by threads
    ("kpviewer.overlay.kept_values", "threading"),  # the window and a recorder paint at once
    ("kpviewer.scanning.store", "threading"),  # live results and a scan's reader add to it
    ("kpviewer.sources.network.name_lookup", "threading"),  # can't be interrupted, only abandoned
}
"""Allowed pairs of module and import that ALLOWED_PARTS would forbid."""

ONLY_FOR = {
    "kpviewer.gui.main_window": {"kpviewer.gui.app.open_window"},
    "kpviewer.gui.grid.window": {"kpviewer.gui.app.open_window"},
}
"""Modules by the only modules that may import them, even for type checking."""

MODULE_LINES, FUNCTION_LINES, CLASS_LINES, CLASS_METHODS = 400, 60, 250, 20


@lru_cache(maxsize=1)  # trees of all modules would take hundreds of MB
def _tree_of(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def imported_names(source: str) -> tuple[str, ...]:
    """Return every imported module at any depth of the file, with and without the last name."""
    return tuple(_imported_names(_tree_of(source)))


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _callee(node) in {"import_module", "__import__"}:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _callee(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def part_of(module: str) -> str:
    """Return the part of the package: ``kpviewer.gui.app`` -> ``gui``; the package itself is ''."""
    return module.partition(".")[2].partition(".")[0]


def import_violations(module: str, source: str) -> list[str]:
    """Return the imports of ``module`` that break the law."""
    part = part_of(module)
    if part not in LEVELS:
        return [f"{module}: part {part!r} has no level; give it one in tests/law.py"]
    found = []
    for name in imported_names(source):
        if name.startswith("."):
            found.append(f"{module}: imports must be absolute, got {name}")
        elif part and name.split(".")[0] == "kpviewer" and not _may_import(part, part_of(name)):
            found.append(f"{module}: {part} (level {LEVELS[part]}) may not import {name}")
        elif part == "gui" and not _may_import_in_gui(module, name):
            found.append(f"{module}: no folder of gui may import one of its level or above: {name}")
        parts = ALLOWED_PARTS.get(_limited(name))
        is_excepted = (module, _limited(name)) in EXCEPTIONS
        if parts is not None and part not in parts and not is_excepted:
            found.append(f"{module}: only {sorted(parts)} may import {name}")
        if name == "PyQt6.QtWidgets.QLabel" and module != "kpviewer.gui.widgets.plain_text":
            found.append(f"{module}: a label must be a Label of kpviewer.gui.widgets.plain_text")
        if module not in ONLY_FOR.get(name, {module}):
            found.append(f"{module}: only {sorted(ONLY_FOR[name])} may import {name}")
        if name == "cv2" and module != "kpviewer.sources.opencv":
            found.append(f"{module}: cv2 must come from kpviewer.sources.opencv")
    return list(dict.fromkeys(found))


def _may_import(part: str, other: str) -> bool:
    if other not in LEVELS:  # a public name, which is for users and would be circular here
        return other == "__version__"
    level, other_level = LEVELS[part], LEVELS[other]
    if other == part or other_level < level:
        return True
    return other_level == level and (level == 0 or other in PURE_PARTS)


def _may_import_in_gui(module: str, name: str) -> bool:
    room, other = (_room_in_gui(each) for each in (module, name))
    if _limited(name) in {"PyQt6.QtWidgets", "pyqtgraph"}:
        return room in WITH_WIDGETS
    if other in ("", room) or room == "":
        return True
    level, other_level = GUI_LEVELS[room], GUI_LEVELS[other]
    return other_level < level or other_level == level == 0


def _room_in_gui(module: str) -> str:
    """Return the folder or module of ``gui`` that a module is in; empty if it is in none."""
    return (*module.split("."), "", "")[2] if part_of(module) == "gui" else ""


def room_of(module: str, part: str = "") -> str:
    """Return the folder of a part, or the module if it is in none.

    ``kpviewer.models.onnx.session`` -> ``kpviewer.models.onnx``. ``part`` may be a folder of
    folders: ``gui.views``.
    """
    return ".".join(module.split(".")[: 3 + part.count(".")])


def circle_in(
    part: str, sources: Mapping[str, str], node_of: Callable[[str], str] = str
) -> list[str]:
    """Return modules of a part that import each other in a circle; empty if there is none.

    Imports for type checking count too. With ``room_of``, whole folders are compared.
    """
    base = f"kpviewer.{part}."
    inside = {name: source for name, source in sources.items() if f"{name}.".startswith(base)}
    graph: dict[str, set[str]] = {}
    for name, source in inside.items():
        imported = {node_of(each) for each in imported_names(source) if each in inside}
        graph.setdefault(node_of(name), set()).update(imported - {node_of(name)})
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _limited(name: str) -> str:
    """Return the longest key of ALLOWED_PARTS that is ``name`` or contains it, else ''."""
    around = [key for key in ALLOWED_PARTS if name == key or name.startswith(key + ".")]
    return max(around, key=len, default="")


def size_violations(module: str, source: str) -> list[str]:
    """Return the parts of ``module`` that are too long."""
    found = []
    lines = len(source.splitlines())
    if lines > MODULE_LINES:
        found.append(f"{module}: {lines} lines, at most {MODULE_LINES}")
    for node in ast.walk(_tree_of(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if (length := _length(node)) > FUNCTION_LINES:
                found.append(f"{module}.{node.name}: {length} lines, at most {FUNCTION_LINES}")
        elif isinstance(node, ast.ClassDef):
            methods = sum(isinstance(item, ast.FunctionDef) for item in node.body)
            if (length := _length(node)) > CLASS_LINES:
                found.append(f"{module}.{node.name}: {length} lines, at most {CLASS_LINES}")
            if methods > CLASS_METHODS:
                found.append(f"{module}.{node.name}: {methods} methods, at most {CLASS_METHODS}")
    return found


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


# fmt: off
THREAD_NAMES = {
    "_after_fork", "_args", "_bootstrap", "_bootstrap_inner", "_context", "_daemonic",
    "_delete", "_handle", "_ident", "_initialized", "_invoke_excepthook", "_is_stopped",
    "_kwargs", "_name", "_native_id", "_reset_internal_locks", "_set_ident", "_set_native_id",
    "_set_os_name", "_set_tstate_lock", "_started", "_stderr", "_stop", "_target",
    "_tstate_lock", "_wait_for_tstate_lock",
}
# fmt: on
"""Private names of threads in CPython 3.11 to 3.14 (``Lib/threading.py``)."""


def thread_violations(module: str, source: str) -> list[str]:
    """Return a line for each name of a thread that is one of Python's own, in some version."""
    return [
        f"{module}.{each.name} has a {name}, as Python's threads have"
        for each in ast.walk(_tree_of(source))
        if isinstance(each, ast.ClassDef) and "Thread" in "".join(map(ast.unparse, each.bases))
        for name in sorted(THREAD_NAMES.intersection(_own_names(each)))
    ]


def _own_names(node: ast.ClassDef) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef):
            yield each.name
        elif isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
            yield each.attr
