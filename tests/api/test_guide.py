"""The code of the Python guide runs, block after block, as a reader would type it."""

import re
import shutil
from functools import partial
from pathlib import Path

import pytest

import kpviewer as kp

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "python.md"


def test_the_code_of_the_guide_runs(monkeypatch, tmp_path, capsys, labels):
    shown: list[object] = []
    monkeypatch.setattr(kp, "view", lambda source, model: shown.append((source, model)))
    as_trained = partial(kp.load, device="cpu", backend="torch", precision="fp32")
    monkeypatch.setattr(kp, "load", as_trained)  # measuring the fastest way takes seconds
    shutil.copytree(labels.parent, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    text = GUIDE.read_text("utf-8")
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    names: dict[str, object] = {}
    for block in blocks:
        line = text.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block[1], str(GUIDE), "exec"), names)
    assert len(blocks) >= 9
    assert shown == [("demo", names["model"])]
    printed = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"0 \[.*\] 0\.\d+", printed[0])
    assert printed[-1].endswith("Did you mean 'score'?")
    assert (tmp_path / "report" / "report.html").is_file()


@pytest.mark.parametrize("name", kp.__all__)
def test_a_public_name_has_a_docstring(name):
    assert getattr(kp, name).__doc__
