"""Damaged files for each reader; ``benchmarks/fuzz_readers.py`` tests thousands."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "fuzz_readers.py"
FILES = 12


def load_script():
    spec = importlib.util.spec_from_file_location("fuzz_readers", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_readers"] = script
    spec.loader.exec_module(script)
    return script


script = load_script()


@pytest.mark.filterwarnings("ignore")  # warnings of libraries about damaged files
@pytest.mark.parametrize("name", list(script.READERS))
def test_damaged_files_are_read_or_refused_in_words(name: str, tmp_path: Path) -> None:
    if name.startswith("onnx"):
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    for index in range(FILES):
        folder = tmp_path / str(index)
        folder.mkdir()
        kind, message = script.read_damaged(name, script.write_damaged(name, index, 1, folder))
        assert kind in script.FINE, f"{name} --seed 1 --only {index}: {message}"
