"""What ``auto`` chose is remembered, for one model on one machine with one set of libraries."""

import json
import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from runtime.test_executor import BrightestPixel, spec
from torch import nn

from kpviewer.config.files import cache_folder
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC, build_light_ssd
from kpviewer.runtime.backends.dispatch import make_runners
from kpviewer.runtime.choosing import choosing, decisions
from kpviewer.runtime.choosing.autotune import Choice
from kpviewer.runtime.choosing.decisions import (
    FILE_NAME,
    MAX_DECISIONS,
    MAX_FILE_BYTES,
    Decision,
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

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Do nothing: it is ready."""


RUNNERS = [Named("torch"), Named("openvino", "bf16")]
KEY = "0" * 64


@pytest.fixture
def file() -> Path:
    path = cache_folder() / FILE_NAME
    path.parent.mkdir(parents=True)
    return path


def chosen(key: str = KEY, runners: list[Named] = RUNNERS) -> Named | None:
    decision = remembered(key)
    return decision.found_in(runners) if decision is not None else None


def test_a_choice_is_remembered():
    assert chosen() is None
    remember(KEY, Decision.of(RUNNERS[1]))
    assert chosen() is RUNNERS[1]
    assert chosen("1" * 64) is None
    assert chosen(KEY, RUNNERS[:1]) is None  # its library is gone
    assert os.listdir(cache_folder()) == [FILE_NAME]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", "[" * 100_000, "\udcff",
        f'{{"{KEY}": 3}}', f'{{"{KEY}": ["torch", "fp32", "CPU"]}}', '{"short": {}}',
        f'{{"{KEY}": {{"runner": ["torch", "fp32"]}}}}', " " * (MAX_FILE_BYTES + 1),
    ],
)  # fmt: skip
def test_a_damaged_file_is_ignored_and_replaced(file, text):
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert chosen() is None
    remember(KEY, Decision.of(RUNNERS[0]))
    assert chosen() is RUNNERS[0]


def test_the_file_does_not_grow_without_end(file):
    for number in range(MAX_DECISIONS + 5):
        remember(f"{number:064}", Decision.of(RUNNERS[0]))
    assert len(json.loads(file.read_text())) == MAX_DECISIONS
    assert chosen(f"{4:064}") is None
    assert chosen(f"{5:064}") is RUNNERS[0]


def test_a_folder_that_can_not_be_written_is_no_fault(file):
    file.parent.rmdir()
    file.parent.write_text("a file")
    remember(KEY, Decision.of(RUNNERS[0]))
    assert chosen() is None


def test_a_choice_depends_on_weights_size_runners_and_versions(monkeypatch):
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


def probe() -> BrightestPixel:
    """Return a detector that OpenVINO compiles in a moment."""
    return BrightestPixel(spec(), nn.Conv2d(3, 3, 1))


def test_the_second_start_measures_nothing(monkeypatch):
    measured = []
    monkeypatch.setattr(choosing, "share_of_cores", lambda: 1.0)
    monkeypatch.setattr(
        choosing, "choose_runner", lambda ways, *_: measured.append(ways) or Choice(ways[-1])
    )
    detector, image = probe(), np.zeros((64, 64, 3), np.uint8)
    engines = [Executor(detector, "cpu") for _ in range(2)]
    if engines[0].backend != "auto":
        pytest.skip("only one backend runs here")
    for engine in engines:
        engine.infer(image)
    assert len(measured) == 1
    first, second = engines
    assert (first.backend, first.precision) == (second.backend, second.precision)


@pytest.mark.parametrize(
    ("cores", "leads", "expected"),
    [
        ([0.5, 1.0, 1.0], [1.0, 1.0, 1.0], [0, 1, 1]),  # busy at first
        ([1.0, 1.0, 1.0], [0.4, 1.0, 1.0], [0, 1, 1]),  # a close race at first
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0, 0, 0]),
        ([0.6, 0.5, 0.4, 1.0], [1.0] * 4, [0, 0, 0, 0]),  # never calm: three are enough
        ([0.5, 0.6, 0.4, 1.0], [1.0] * 4, [0, 1, 1, 1]),
    ],
)
def test_a_doubtful_choice_is_measured_again_and_the_calmest_counts(
    monkeypatch, cores, leads, expected
):
    found, detector = [], SimpleNamespace(spec=LIGHT_SPEC, network=None)
    image, box = np.zeros((64, 64, 3), np.uint8), letterbox_of(LIGHT_SPEC, (64, 64))
    for start, free in enumerate(cores):
        choice = Choice(RUNNERS[min(start, 1)], leads[start])
        monkeypatch.setattr(choosing, "decision_key", lambda *_: KEY)
        monkeypatch.setattr(choosing, "share_of_cores", lambda free=free: free)
        monkeypatch.setattr(choosing, "choose_runner", lambda *_, choice=choice: choice)
        asked = (detector, RUNNERS, image, box.input_hw, lambda: RUNNERS)
        hurried, is_sure = choosing.chosen_runner(*asked, measures=False)
        assert RUNNERS.index(hurried) == (found[-1] if found else 0), "it measures nothing"
        chosen, is_settled = choosing.chosen_runner(*asked, measures=True)
        found.append(RUNNERS.index(chosen))
        assert is_settled
        if is_sure:
            assert chosen is hurried, "there was nothing to measure"
    assert found == expected


def test_the_first_loader_takes_what_is_remembered_and_else_the_exact_runner():
    detector, image = probe(), np.zeros((64, 64, 3), np.uint8)
    first = Executor(detector, "cpu", measures=False)
    first.infer(image)
    assert (first.backend, first.precision) == ("torch", "fp32")
    runners = make_runners(detector, "cpu", "auto", "auto")
    key = decision_key(detector, runners, letterbox_of(detector.spec, (64, 64)).input_hw)
    assert remembered(key) is None
    assert not first.is_settled
    for cores, is_settled in ((0.3, False), (1.0, True)):
        remember(key, Decision.of(runners[-1], cores=cores))
        second = Executor(detector, "cpu", measures=False)
        second.infer(image)
        assert (second.backend, second.precision) == (runners[-1].backend, runners[-1].precision)
        assert second.is_settled is is_settled


def test_a_remembered_backend_that_fails_is_measured_again(monkeypatch):
    def fails(*_: object) -> None:
        raise RuntimeError("no driver")

    detector = probe()
    engine = Executor(detector, "cpu")
    if engine.backend != "auto":
        pytest.skip("only one backend runs here")
    last = engine._runners[-1]  # noqa: SLF001 - which ones there are depends on the machine
    monkeypatch.setattr(choosing, "remembered", lambda _key: Decision.of(last))
    monkeypatch.setattr(last, "prepare", fails)
    monkeypatch.setattr(choosing, "choose_runner", lambda ways, *_: Choice(ways[0]))
    engine.infer(np.zeros((64, 64, 3), np.uint8))
    assert (engine.backend, engine.precision) == ("torch", "fp32")
