import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from interpreter import python
from sample_scans import SPEC, candidates, chunk, header, write_scan

import kpviewer as kp
from kpviewer.models.selection import select
from kpviewer.scanning.scan_file import open_scan, read_to_end
from kpviewer.scanning.scan_writer import ScanWriter
from kpviewer.structures import Thresholds

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "scanning.md"


@pytest.fixture
def scan(tmp_path: Path) -> kp.Scan:
    return kp.read_scan(write_scan(tmp_path / "a.kpv", chunk(0, 1), chunk(4, 7), is_complete=True))


def test_a_scan_gives_the_detections_of_every_frame(scan):
    assert (len(scan), scan.is_complete, scan.spec) == (4, True, SPEC)
    assert repr(scan) == "<Scan of clip.mp4 with cards, 4 frames>"
    frames = list(scan.frames(score=0.1, iou=0.3, classes=["king"]))
    assert [frame.index for frame in frames] == [0, 1, 4, 7]
    assert frames[3].position_s == pytest.approx(0.7) and frames[3].file == "7.png"
    expected = Thresholds(0.1, 0.3, classes=frozenset([1]), keypoint=0.3)
    for frame in frames:
        found = select(candidates(frame.index, 0 if frame.index == 4 else 6), expected)
        np.testing.assert_array_equal(frame.detections.xyxy, found.xyxy)
    assert sum(len(frame.detections) for frame in frames)
    assert len(list(scan.frames())) == 4  # again, at the model's own thresholds


def test_a_scan_is_read_again_from_another_folder(scan, monkeypatch):
    monkeypatch.chdir(scan.path.parent)
    relative = kp.read_scan("a.kpv")
    monkeypatch.chdir(scan.path.parent.parent)
    assert [frame.index for frame in relative.frames()] == [0, 1, 4, 7]


def test_what_a_scan_cannot_answer_is_an_error(scan, tmp_path):
    with pytest.raises(kp.InputError, match=r"at least 0\.05, got 0\.01"):
        scan.frames(score=0.01)
    with pytest.raises(kp.InputError, match="Did you mean"):
        scan.frames(conf=0.5)  # type: ignore[call-arg]
    with pytest.raises(kp.KpviewerError, match="is missing"):
        kp.read_scan(tmp_path / "none.kpv")
    with pytest.raises(kp.InputError, match="A scan must be a path, got 3"):
        kp.read_scan(3)  # type: ignore[arg-type]


def test_a_scan_that_was_replaced_is_an_error(scan):
    scan.path.unlink()
    other = replace(SPEC, class_names=("queen", "king", "ace"))
    writer = ScanWriter(scan.path, header(spec_json=other.to_json()))
    writer.append(chunk(0, 1))
    writer.close()
    with pytest.raises(kp.KpviewerError, match=r"a\.kpv was replaced .* Open it again"):
        list(scan.frames())


def test_frames_that_a_scan_gets_later_are_left_out(tmp_path):
    scan = kp.read_scan(write_scan(tmp_path / "a.kpv", chunk(0, 1)))
    writer = ScanWriter(scan.path, after=read_to_end(open_scan(scan.path)))
    writer.append(chunk(4, 7))
    writer.close()
    assert [frame.index for frame in scan.frames()] == [0, 1]
    assert len(kp.read_scan(scan.path)) == 4


def test_the_code_of_the_guide_runs(scan, monkeypatch, capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.M)
    monkeypatch.chdir(scan.path.parent)
    scan.path.rename("clip.kpv")
    exec(code, {})
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_reading_a_scan_loads_neither_torch_nor_opencv(scan):
    code = f"""
import sys
import kpviewer as kp
print(len(list(kp.read_scan({str(scan.path)!r}).frames())))
print([name for name in ("torch", "cv2", "av", "PyQt6") if name in sys.modules])
"""
    assert python(code).split("\n")[:2] == ["4", "[]"]
