"""Damaged files for each reader; ``benchmarks/fuzz_readers`` tests thousands."""

import pytest

from benchmarks.fuzz_readers.readers import READERS
from benchmarks.fuzz_readers.running import FINE, read_damaged, write_damaged

FILES = 12


@pytest.mark.filterwarnings("ignore")  # warnings of libraries about damaged files
@pytest.mark.parametrize("name", list(READERS))
def test_damaged_files_are_read_or_refused_in_words(name, tmp_path):
    if name.startswith("onnx"):
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    for index in range(FILES):
        folder = tmp_path / str(index)
        folder.mkdir()
        kind, message = read_damaged(name, write_damaged(name, index, 1, folder))
        assert kind in FINE, f"{name} --seed 1 --only {index}: {message}"
