"""The package obeys the law: imports, loading and lengths."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import law
import pytest
from interpreter import python

import kpviewer

PACKAGE = Path(kpviewer.__file__).parent
HEAVY = ("torch", "torchvision", "PyQt6", "pyqtgraph", "cv2", "av")


def module_name(path: Path) -> str:
    """Return the module of a file: ``kpviewer/gui/app.py`` -> ``kpviewer.gui.app``."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


Violations = dict[Callable[[str, str], list[str]], list[str]]


@pytest.fixture(scope="module")
def violations() -> Violations:
    """Return how the package breaks each rule; a module is parsed once for all of them."""
    found: Violations = {
        law.import_violations: [],
        law.size_violations: [],
        law.thread_violations: [],
    }
    for name, source in SOURCES.items():
        for rule in found:
            found[rule] += rule(name, source)
    return found


def test_every_level_is_that_of_a_part_there_is():
    assert set(law.LEVELS) == {law.part_of(name) for name in SOURCES}
    in_gui = {law.room_of(name) for name in SOURCES if name.startswith("kpviewer.gui.")}
    assert {f"kpviewer.gui.{name}" for name in law.GUI_LEVELS} == in_gui


def test_modules_import_only_what_their_level_allows(violations):
    assert violations[law.import_violations] == []


@pytest.mark.parametrize("part", sorted(law.LEVELS))
def test_modules_of_a_part_import_each_other_in_no_circle(part):
    assert law.circle_in(part, SOURCES) == []


@pytest.mark.parametrize("part", [*sorted(law.LEVELS), "gui.controllers", "gui.views"])
def test_folders_of_a_part_import_each_other_in_no_circle(part):
    assert law.circle_in(part, SOURCES, partial(law.room_of, part=part)) == []


def test_a_circle_of_folders_is_found_where_modules_have_none():
    sources = {
        "kpviewer.models.a.x": "import kpviewer.models.b.x",
        "kpviewer.models.b.x": "",
        "kpviewer.models.b.y": "from kpviewer.models.a import x",
    }
    assert law.circle_in("models", sources) == []
    assert set(law.circle_in("models", sources, law.room_of)) == {
        "kpviewer.models.a",
        "kpviewer.models.b",
    }


def test_a_circle_is_found_and_one_for_type_checking_too():
    sources = {
        "kpviewer.pipeline.a": "import kpviewer.pipeline.b",
        "kpviewer.pipeline.b": "from kpviewer.pipeline import c",
        "kpviewer.pipeline.c": "if TYPE_CHECKING:\n    from kpviewer.pipeline.a import A",
    }
    assert set(law.circle_in("pipeline", sources)) == set(sources)
    assert law.circle_in("overlay", sources) == []


def test_modules_functions_and_classes_stay_short(violations):
    assert violations[law.size_violations] == []


def test_threads_hide_nothing_of_pythons_own(violations):
    assert violations[law.thread_violations] == []


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("kpviewer.models.spec", "from kpviewer.runtime.device import x", "may not import"),
        ("kpviewer.sources.video.file", "from kpviewer.models import spec", "may not import"),
        ("kpviewer.overlay", "import kpviewer.pipeline.state.stats", "may not import"),
        ("kpviewer.structures", "def f():\n    import kpviewer.sources.base", "may not import"),
        ("kpviewer.overlay", "from PyQt6.QtWidgets import QWidget", "only ['gui']"),
        ("kpviewer.overlay", "from PyQt6 import QtWidgets", "only ['gui']"),
        (
            "kpviewer.cli.view",
            "from PyQt6.QtCore import QTimer",
            "only ['gui', 'overlay']",
        ),
        ("kpviewer.cli.view", "import threading", "only ['pipeline'"),
        ("kpviewer.gui.app", "from concurrent.futures import Future", "only ['pipeline'"),
        ("kpviewer.sources.video.file", "import cv2", "must come from"),
        (
            "kpviewer.gui.app",
            "from kpviewer.sources.opencv import cv2",
            "only ['overlay', 'recording', 'runtime', 'sources'",
        ),
        ("kpviewer.runtime.openvino.runner", "import openvino", "only [] may"),
        ("kpviewer.models.onnx.session", "from onnxruntime import InferenceSession", "only [] may"),
        ("kpviewer.cli.eval", "importlib.import_module('openvino.tools')", "only [] may"),
        ("kpviewer.gui.app", "from PyQt6.QtWidgets import QLabel", "must be a Label"),
        ("kpviewer.gui.app", "from .view import View", "must be absolute"),
        ("kpviewer.gui.app", "from kpviewer import load", "may not import"),
        ("kpviewer.cli.eval", "from kpviewer.api.detecting import load", "may not import"),
        (
            "kpviewer.gui.main_window.bridge",
            "if TYPE_CHECKING:\n    from kpviewer.gui.main_window import MainWindow",
            "only ['kpviewer.gui.app.open_window'] may",
        ),
        (
            "kpviewer.cli.view",
            "import kpviewer.gui.main_window",
            "only ['kpviewer.gui.app.open_window'] may",
        ),
        ("kpviewer.gui.views.x", "from kpviewer.gui.session import Session", "of gui may import"),
        (
            "kpviewer.gui.session",
            "if TYPE_CHECKING:\n    from kpviewer.gui.views.panes import Panes",
            "of gui may import",
        ),
        ("kpviewer.gui.saving.x", "from PyQt6.QtWidgets import QWidget", "of gui may import"),
        ("kpviewer.gui.opening.x", "import pyqtgraph", "of gui may import"),
        ("kpviewer.helpers", "", "has no level"),
    ],
)
def test_a_forbidden_import_is_found(module, source, expected):
    violations = law.import_violations(module, source)
    assert any(expected in line for line in violations), violations


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("kpviewer.sources.synthetic.demo", "from kpviewer.annotations.base import x"),
        ("kpviewer.pipeline.pipeline", "import queue\nfrom kpviewer.runtime.buffers import x"),
        ("kpviewer.overlay", "from PyQt6.QtGui import QImage"),
        ("kpviewer.sources.opencv", "import cv2"),
        ("kpviewer.cli.main", "from kpviewer import __version__"),
        ("kpviewer.gui.app.open_window", "from kpviewer.gui.main_window import MainWindow"),
        ("kpviewer.gui.controllers.x", "from kpviewer.gui.session import Session"),
        ("kpviewer.gui.views.x", "from kpviewer.gui.views.panes import Panes"),
    ],
)
def test_an_allowed_import_is_not_reported(module, source):
    assert law.import_violations(module, source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("\n" * 401, "401 lines"),
        ("def long():\n" + "    x = 1\n" * 60, "m.long: 61 lines"),
        ("class Long:\n" + "    x = 1\n" * 250, "m.Long: 251 lines"),
        ("class Wide:\n" + "".join(f"    def f{i}(self): ...\n" for i in range(21)), "21 methods"),
    ],
)
def test_long_code_is_found(source, expected):
    violations = law.size_violations("m", source)
    assert any(expected in line for line in violations), violations


@pytest.mark.parametrize(
    "code",
    [
        "import kpviewer",
        "from kpviewer.cli.main import main\nmain(['--help'], standalone_mode=False)",
    ],
    ids=["import", "help"],
)
def test_import_and_help_load_nothing_heavy(code):
    out = python(f"{code}\nimport sys\nprint('loaded', [n for n in {HEAVY} if n in sys.modules])")
    assert out.endswith("loaded []\n")


def test_the_pipeline_needs_neither_qt_nor_torch():
    python(
        f"import sys\nfor name in {HEAVY}: sys.modules[name] = None\n"
        "import kpviewer.pipeline.pipeline"
    )


def test_scores_without_a_report_need_no_matplotlib():
    python(
        "import sys\nsys.modules['matplotlib'] = None\n"
        "from kpviewer.evaluation.evaluator import model_kinds\nlist(model_kinds())"
    )


def test_window_modules_load_without_torch():
    gui = [name for name in SOURCES if law.part_of(name) in {"gui", "overlay"}]
    imports = "".join(f"import {name}\n" for name in gui)
    python(f"import sys\nsys.modules['torch'] = None\n{imports}")


def test_the_window_opens_without_the_slow_modules_of_http():
    """They take 50 ms of a start, and only a download needs them."""
    slow = ("ssl", "http.client", "urllib.request")
    python(f"import sys\nfor name in {slow}: sys.modules[name] = None\nimport kpviewer.gui.app")


def test_what_runs_in_the_window_needs_no_widgets():
    folders = [f"kpviewer.gui.{name}" for name in set(law.GUI_LEVELS) - law.WITH_WIDGETS]
    imports = "".join(f"import {name}\n" for name in SOURCES if law.room_of(name) in folders)
    without = ("PyQt6.QtWidgets", "pyqtgraph", "kpviewer.gui.widgets", "kpviewer.gui.views")
    python(f"import sys\nfor name in {without}: sys.modules[name] = None\n{imports}")


def test_widgets_are_independent_of_the_window():
    """Widgets import only widgets and translations, so another program could use them."""
    own = ("kpviewer.gui.widgets", "kpviewer.gui.language")
    found = [
        (path.name, name)
        for path in sorted((PACKAGE / "gui" / "widgets").glob("*.py"))
        for name in law.imported_names(path.read_text("utf-8"))
        if name.startswith("kpviewer.gui.") and not name.startswith(own)
    ]
    assert found == []


def test_what_all_of_gui_share_imports_none_of_its_folders():
    """Modules beside the folders are below them: else each folder is in a circle with the root."""
    root = PACKAGE / "gui"
    folders = {path.name for path in root.iterdir() if path.is_dir()} - {"translations"}
    found = [
        (path.name, name)
        for path in sorted(root.glob("*.py"))
        for name in law.imported_names(path.read_text("utf-8"))
        if name.startswith("kpviewer.gui.") and name.split(".")[2] in folders
    ]
    assert found == []
