"""What ``auto`` chose is remembered, for one model on one machine with one set of libraries."""

import json
import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch

from kpviewer.config_files import cache_folder
from kpviewer.models.letterboxes import letterbox_of
from kpviewer.models.light_ssd import build_light_ssd
from kpviewer.runtime import choosing, decisions
from kpviewer.runtime.decisions import (
    FILE_NAME,
    MAX_DECISIONS,
    MAX_FILE_BYTES,
    decision_key,
    remember,
    remembered,
)
from kpviewer.runtime.executor import Executor


@dataclass(frozen=True)
class Named:
    """A runner as far as choices know it."""

    backend: str
    precision: str = "fp32"
    device: str = "CPU"


RUNNERS = [Named("torch"), Named("openvino", "bf16")]
KEY = "0" * 64


@pytest.fixture
def file() -> Path:
    path = cache_folder() / FILE_NAME
    path.parent.mkdir(parents=True)
    return path


def test_a_choice_is_remembered() -> None:
    assert remembered(KEY, RUNNERS) is None
    remember(KEY, RUNNERS[1])
    assert remembered(KEY, RUNNERS) is RUNNERS[1]
    assert remembered("1" * 64, RUNNERS) is None
    assert remembered(KEY, RUNNERS[:1]) is None  # its library is gone
    assert os.listdir(cache_folder()) == [FILE_NAME]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", "[" * 100_000, "\udcff",
        f'{{"{KEY}": 3}}', f'{{"{KEY}": ["torch"]}}', f'{{"{KEY}": ["rm", "-r", "/"]}}',
        f'{{"{KEY}": [["torch"], "fp32", "CPU"]}}', " " * (MAX_FILE_BYTES + 1),
    ],
)  # fmt: skip
def test_a_damaged_file_is_ignored_and_replaced(file: Path, text: str) -> None:
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert remembered(KEY, RUNNERS) is None
    remember(KEY, RUNNERS[0])
    assert remembered(KEY, RUNNERS) is RUNNERS[0]


def test_the_file_does_not_grow_without_end(file: Path) -> None:
    for number in range(MAX_DECISIONS + 5):
        remember(f"{number:064}", RUNNERS[0])
    assert len(json.loads(file.read_text())) == MAX_DECISIONS
    assert remembered(f"{4:064}", RUNNERS) is None
    assert remembered(f"{5:064}", RUNNERS) is RUNNERS[0]


def test_a_folder_that_can_not_be_written_is_no_fault(file: Path) -> None:
    file.parent.rmdir()
    file.parent.write_text("a file")
    remember(KEY, RUNNERS[0])
    assert remembered(KEY, RUNNERS) is None


def test_a_choice_depends_on_weights_size_runners_and_versions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    detector, other = build_light_ssd(), build_light_ssd()
    other.network.load_state_dict(detector.network.state_dict())
    key = decision_key(detector, RUNNERS, (64, 64))
    assert key == decision_key(other, RUNNERS, (64, 64))
    assert key != decision_key(detector, RUNNERS, (64, 96))
    assert key != decision_key(detector, RUNNERS[:1], (64, 64))
    with torch.no_grad():
        next(other.network.parameters())[0] += 1
    assert key != decision_key(other, RUNNERS, (64, 64))
    version = metadata.version
    monkeypatch.setattr(
        decisions.metadata, "version", lambda name: "99" if name == "openvino" else version(name)
    )
    assert key != decision_key(detector, RUNNERS, (64, 64))


def test_the_second_start_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    monkeypatch.setattr(choosing, "choose_runner", lambda ways, *_: chosen.append(ways) or ways[-1])
    detector, image = build_light_ssd(), np.zeros((64, 64, 3), np.uint8)
    engines = [Executor(detector, "cpu") for _ in range(2)]
    if engines[0].backend != "auto":
        pytest.skip("only one backend runs here")
    for engine in engines:
        engine.infer(image)
    assert len(chosen) == 1
    first, second = engines
    assert (first.backend, first.precision) == (second.backend, second.precision)


def test_the_first_loader_takes_what_is_remembered_and_else_the_exact_runner() -> None:
    detector, image = build_light_ssd(), np.zeros((64, 64, 3), np.uint8)
    first = Executor(detector, "cpu", measures=False)
    first.infer(image)
    assert (first.backend, first.precision) == ("torch", "fp32")
    runners = first._runners  # noqa: SLF001 - which ones there are depends on the machine
    key = decision_key(detector, runners, letterbox_of(detector.spec, (64, 64)).input_hw)
    assert remembered(key, runners) is None
    remember(key, runners[-1])
    second = Executor(detector, "cpu", measures=False)
    second.infer(image)
    assert (second.backend, second.precision) == (runners[-1].backend, runners[-1].precision)


def test_a_remembered_backend_that_fails_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no driver")

    detector = build_light_ssd()
    engine = Executor(detector, "cpu")
    if engine.backend != "auto":
        pytest.skip("only one backend runs here")
    last = engine._runners[-1]  # noqa: SLF001 - which ones there are depends on the machine
    monkeypatch.setattr(choosing, "remembered", lambda _key, _runners: last)
    monkeypatch.setattr(last, "prepare", fails)
    monkeypatch.setattr(choosing, "choose_runner", lambda ways, *_: ways[0])
    engine.infer(np.zeros((64, 64, 3), np.uint8))
    assert (engine.backend, engine.precision) == ("torch", "fp32")
