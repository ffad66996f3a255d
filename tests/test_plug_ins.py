"""Packages add models and sinks by name; their code runs only if a user names one."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes import FakeEngine

from kpviewer.cli import models, process
from kpviewer.cli.process import process_sources
from kpviewer.errors import RecordingError, WeightsError
from kpviewer.gui.opening.permission import CodePermission
from kpviewer.gui.settings.recent import remembered_model
from kpviewer.models.loading import open_model
from kpviewer.models.names.models import code_in
from kpviewer.plug_ins import MODELS, SINKS, plug_ins
from kpviewer.processing.options import ProcessOptions

MODULE = """
from pathlib import Path
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd as build
seen = []

class Counter:
    def __init__(self, folder, header):
        self.folder, self.header, self.count = folder, header, 0
    def accept(self, result):
        self.count += 1
        if self.header.source == "broken":
            raise ValueError("no such table\\nin the data base")
    def close(self):
        self.folder.mkdir(exist_ok=True)
        Path(self.folder, "count.txt").write_text(f"{self.header.model} {self.count}")

class Broken(Counter):
    def accept(self, result):
        raise ValueError("no such table\\nin the data base")

def refuse(folder, header):
    raise SystemExit(3)
"""
ENTRIES = """
[kpviewer.models]
bird-finder = bird_pack:build
face-ssd = bird_pack:build
gone = no_such_module_of_birds:build
odd:name = bird_pack:build
deep = bird_pack:Counter.make

[kpviewer.sinks]
counter = bird_pack:Counter
broken = bird_pack:Broken
refuses = bird_pack:refuse
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
    """Install a package; yield a function that returns whether it was imported."""
    info = tmp_path / "site" / "bird_pack-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bird-pack\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    (tmp_path / "site" / "bird_pack.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    plug_ins.cache_clear()
    yield lambda: "bird_pack" in sys.modules
    plug_ins.cache_clear()
    sys.modules.pop("bird_pack", None)


def test_a_package_adds_a_model_by_name(package):
    assert set(plug_ins(MODELS)) == {"bird-finder", "face-ssd", "gone"}
    assert code_in("bird-finder") == ("bird_pack:build",)
    assert code_in("two-stage:bird-finder@640+face-points") == ("bird_pack:build",)
    assert not package()
    assert open_model("bird-finder").spec.class_names == ("face",)
    assert open_model("bird-finder@320").spec.input_hw == (320, 320)
    assert package()


def test_a_package_replaces_no_shipped_model(package):
    assert code_in("face-ssd") == ()
    open_model("face-ssd")
    assert not package()


def test_a_model_of_a_package_is_code_of_which_settings_name_none(package):
    permission = CodePermission()
    with pytest.raises(WeightsError, match="bird_pack:build is code"):
        permission.check("bird-finder")
    permission.allow("bird-finder")
    permission.check("bird-finder")
    assert remembered_model("bird-finder") is None
    assert not package()


def test_plug_ins_are_listed_and_not_run(package):
    listed = CliRunner().invoke(models.command, []).output
    assert "bird-finder   of the package bird-pack 1.2 (bird_pack:build)" in listed
    assert not package()
    with pytest.raises(WeightsError, match=r"Models by name: bird-finder, .*face-ssd"):
        open_model("bird-findr")


def test_a_model_that_a_package_lacks_is_one_line(package):
    with pytest.raises(WeightsError, match="no_such_module_of_birds can't be imported"):
        open_model("gone")


def run(tmp_path: Path, *sinks: str, outputs: tuple[str, ...] = ()) -> int:
    options = ProcessOptions(tmp_path / "out", outputs, sinks=sinks, seconds=0.2)
    return process_sources(["demo"], options, engine=EveryFrame())


class EveryFrame(FakeEngine):
    """Engine for frames without numbers."""

    def infer(self, bgr):
        bgr = bgr.copy()
        bgr[:] = 0
        return super().infer(bgr)


@pytest.mark.usefixtures("qapp")
def test_a_sink_of_a_package_gets_every_result(package, tmp_path, capsys):
    assert set(plug_ins(SINKS)) == {"counter", "broken", "refuses"}
    assert run(tmp_path, "counter") == 0
    model, count = (tmp_path / "out" / "count.txt").read_text().split()
    output = capsys.readouterr()
    assert (model, int(count) > 0) == ("fake", True)
    assert f"{count} out" in output.out
    assert "-> counter" in output.out
    assert output.err == ""


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize(
    ("name", "message", "files"),
    [("broken", "ValueError: no such table.", 1), ("refuses", "SystemExit: 3.", 0)],
)
def test_a_failing_sink_is_one_line_and_results_are_kept(
    package, tmp_path, capsys, name, message, files
):
    assert run(tmp_path, name, outputs=("jsonl",)) == RecordingError.exit_code
    error = capsys.readouterr().err
    assert f"The sink {name} of bird-pack 1.2 failed: {message}" in error
    assert "Traceback" not in error
    assert len(list((tmp_path / "out").glob("*.jsonl"))) == files  # none without a frame


def test_an_unknown_sink_is_a_usage_error(package, tmp_path):
    words = ["demo", "--out", str(tmp_path / "out"), "--sink", "missing"]
    result = CliRunner().invoke(process.command, words)
    assert result.exit_code == 2
    assert "installed: broken, counter, refuses" in result.output
    assert not package()
    assert not (tmp_path / "out").exists()
