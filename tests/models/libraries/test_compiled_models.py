"""Compiled models are read back with the same bits, and only for what they were compiled for."""

import hashlib
import os

import numpy as np
import pytest

from kpviewer.config.files import cache_folder, compiled_folder, delete_cache
from kpviewer.errors import PipelineError
from kpviewer.models.libraries import compiled_models
from kpviewer.models.libraries.compiled_models import Compiler
from kpviewer.models.libraries.inference import has_openvino, library
from kpviewer.models.opening.shipped_graph import open_shipped
from kpviewer.runtime.batches import is_same
from kpviewer.runtime.executor import Executor

pytestmark = pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")
SETTINGS = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}


def files():
    return sorted(compiled_folder(cache_folder()).glob("*"))


class Adding:
    """A model that adds a number, and how often it was made."""

    def __init__(self, number):
        self.number, self.count = np.float32(number), 0

    def __call__(self):
        self.count += 1
        openvino, ops = library("openvino"), library("openvino.opset13")
        values = ops.parameter([2], np.float32)
        return openvino.Model([ops.add(values, ops.constant(self.number))], [values], "adding")

    def run(self, content="a", **settings):
        compiled = Compiler(self, "CPU", content)({**SETTINGS, **settings})
        return compiled(np.float32([1, 2]))[0].tolist()


def test_a_model_is_compiled_once_for_any_number_of_threads_and_streams():
    third = Adding(1 / 3)
    first = third.run()
    assert third.run(INFERENCE_NUM_THREADS=2, NUM_STREAMS=2) == first
    assert first == np.float32([4 / 3, 7 / 3]).tolist()
    assert (third.count, len(files())) == (1, 1)


@pytest.mark.parametrize("other", ["content", "precision", "processor", "version"])
def test_a_compiled_model_is_never_used_for_another(monkeypatch, other):
    Adding(1).run()
    if other == "processor":
        monkeypatch.setattr(compiled_models, "instruction_sets", lambda: {"avx2"})
    if other == "version":
        monkeypatch.setattr(compiled_models, "__version__", "0.0")
    monkeypatch.setattr(compiled_models, "surroundings", compiled_models.surroundings.__wrapped__)
    settings = {"INFERENCE_PRECISION_HINT": "bf16"} if other == "precision" else {}
    assert Adding(5).run("b" if other == "content" else "a", **settings) == [6, 7]
    assert len(files()) == 2


def test_nothing_is_kept_of_a_model_with_unknown_content():
    one = Adding(1)
    assert one.run(None) == one.run(None) == [2, 3]
    assert (one.count, files()) == (2, [])


@pytest.mark.parametrize("damage", ["cut off", "changed", "of another version"])
def test_a_damaged_file_is_compiled_again(damage):
    Adding(1).run()
    (file,) = files()
    content = bytearray(file.read_bytes())
    if damage == "changed":
        content[len(content) // 2] ^= 1
    if damage == "cut off":
        content = content[:100]
    if damage == "of another version":  # whole, but OpenVINO refuses it
        content = hashlib.blake2b(b"other", digest_size=32).digest() + b"other"
    file.write_bytes(content)
    again = Adding(1)
    assert again.run() == again.run() == [2, 3]
    assert again.count == 1


def test_a_folder_that_can_not_be_written_costs_a_compilation_each():
    cache_folder().mkdir(parents=True, exist_ok=True)
    compiled_folder(cache_folder()).write_text("a file is in the way")
    one = Adding(1)
    assert one.run() == one.run() == [2, 3]
    assert one.count == 2


def test_few_bytes_are_kept_and_the_last_used_ones(monkeypatch):
    Adding(1).run("a")
    (first,) = files()
    size = first.stat().st_size
    monkeypatch.setattr(compiled_models, "MAX_BYTES", 2 * size)
    os.utime(first, (1, 1))
    Adding(2).run("b")
    (second,) = set(files()) - {first}
    os.utime(second, (2, 2))
    Adding(1).run("a")  # used again
    Adding(3).run("c")
    assert first in files()
    assert len(files()) == 2
    monkeypatch.setattr(compiled_models, "MAX_FILE_BYTES", size - 1)
    Adding(4).run("d")
    assert len(files()) == 2


def test_a_reset_deletes_the_compiled_models():
    Adding(1).run()
    assert len(delete_cache(cache_folder())) == 1
    assert not cache_folder().exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "precision", "graphs"),
    [
        ("face-ssd", "int8", 3),  # its refiner reads one window or eight
        ("strip-grid", "bf16", 1),
        ("cards-ssd", "fp32", 1),
    ],
)
def test_a_shipped_model_gives_the_same_bits_when_it_is_read_back(name, precision, graphs):
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    found = []
    for _ in range(2):
        try:
            engine = Executor(open_shipped(name), "cpu", precision, "openvino")
        except PipelineError:
            pytest.skip("the processor or the model lacks this precision")
        engine.warm_up((240, 320))
        found.append((engine.infer(image)[0], len(files())))
    (compiled, count), (kept, count_then) = found
    assert is_same(compiled, kept)
    assert count == count_then == graphs
