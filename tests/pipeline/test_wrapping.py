"""Engines that run another one answer what the pipeline asks of a model."""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine
from sample_scans import write_scan

import kpviewer
from kpviewer.pipeline import protocols
from kpviewer.pipeline.measuring.stage_meter import StageMeter
from kpviewer.pipeline.sharing.engine import Seat, SharedEngine
from kpviewer.scanning.engine import ScanLookup, ScannedEngine
from kpviewer.serving.engine import EngineThread

WRAPPERS: Mapping[str, Callable[[Any, Path], Any]] = {
    "EngineThread": lambda engine, _folder: EngineThread(engine),
    "ScannedEngine": lambda engine, folder: ScannedEngine(
        engine, ScanLookup(write_scan(folder / "clip.kpv"))
    ),
    "Seat": lambda engine, _folder: Seat(SharedEngine(engine)),
    "StageMeter": lambda engine, _folder: StageMeter(engine, 1, 1),
}
OTHERS = {"Executor", "InferenceEngine", "Model", "Run"}
"""Classes that run a model themselves, or return no ``EngineResult``."""
OWN = {"frames_in_flight", "infer_at_turn", "on_cpu"}
"""How images are run: an engine decides it for those that it wraps."""


def asked() -> set[str]:
    """Return the attributes that the protocols look for in an engine."""
    tree = ast.parse(inspect.getsource(protocols))
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    names = {
        argument.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in ("getattr", "hasattr")
        for argument in call.args[1:2]
        if isinstance(argument, ast.Constant)
    }
    return {*names, "device_name", "backend", "precision"}


def engine_classes() -> Iterator[str]:
    """Yield the names of all classes with ``infer(self, bgr)``, but those that pass all on."""
    for path in Path(kpviewer.__path__[0]).rglob("*.py"):
        for each in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(each, ast.ClassDef):
                methods = {
                    part.name: part for part in each.body if isinstance(part, ast.FunctionDef)
                }
                infer = methods.get("infer")
                names = [argument.arg for argument in infer.args.args] if infer is not None else []
                if names == ["self", "bgr"] and "__getattr__" not in methods:
                    yield each.name


def test_every_engine_that_wraps_another_is_tested_here():
    assert set(engine_classes()) - OTHERS == set(WRAPPERS)


@pytest.mark.parametrize("name", sorted(WRAPPERS))
def test_what_the_protocols_ask_is_answered_by_the_engine_inside(name, tmp_path):
    engine = FakeEngine()
    wrapper = WRAPPERS[name](engine, tmp_path)
    assert wrapper.spec is engine.spec
    before = [(each, bool(getattr(wrapper, each, None))) for each in asked() - OWN]
    assert [each for each, is_said in before if is_said] == []
    for each in asked() - OWN:
        answer: Any = True if each.startswith(("is_", "takes_", "needs_")) else f"own {each}"
        setattr(engine, each, answer)
        assert getattr(wrapper, each) == answer, each
