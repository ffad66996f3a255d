"""Part files after a crash: found, finished if they can be read, else left unchanged."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from sample_results import detections, read_video, result

from kpviewer.overlay.jpeg import encoded
from kpviewer.recording import leftovers
from kpviewer.recording.formats import ResultHeader
from kpviewer.recording.leftovers import Leftovers, find_leftovers, finish_leftovers
from kpviewer.recording.parts import reserve
from kpviewer.recording.results import RESULT_FORMATS
from kpviewer.recording.video import VideoOptions, VideoWriter
from kpviewer.system.locks import lock

FRAMES = [result(detections([(1, 2, 30, 40)]), index=index) for index in range(3)]


def cut(folder: Path, kind: str, *, chars: int) -> Path:
    """Write a result file as a crash leaves it, without so many characters at its end."""
    suffix, make = RESULT_FORMATS[kind][0]
    rows = make(ResultHeader("clip.mp4", "fake", ("thing",)))
    text = rows.begin() + "".join(rows.frame(each) for each in FRAMES)
    path = folder / f"clip{suffix}.part"
    path.write_text(text[: len(text) - chars])
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_parts_of_ours_without_a_writer_are_found_oldest_first(tmp_path):
    for age_s, name in enumerate(["new.mp4", "old.jsonl", "other.zip", "none.mp4"]):
        path = tmp_path / (name + ".part")
        path.write_text("" if name == "none.mp4" else "cut")
        then = path.stat().st_mtime - age_s
        os.utime(path, (then, then))
    growing = reserve(tmp_path, "growing", ".mp4")
    growing.write(b"more")
    (tmp_path / "done.mp4").write_text("done")
    assert [path.name for path in find_leftovers(tmp_path)] == ["old.jsonl.part", "new.mp4.part"]


def test_folder_that_does_not_exist_has_none(tmp_path):
    assert find_leftovers(tmp_path / "nowhere") == []


@pytest.mark.parametrize(("kind", "lines"), [("jsonl", 3), ("csv", 3)])
def test_cut_line_is_removed(tmp_path, kind, lines):
    cut(tmp_path, kind, chars=5)
    (path,) = finish_leftovers(tmp_path).finished
    assert path.name == f"clip.{kind}"
    assert len(path.read_text().splitlines()) == lines
    assert path.read_text().endswith("\n")


@pytest.mark.parametrize("chars", [0, 1, 5])
def test_coco_list_is_closed_after_its_last_whole_entry(tmp_path, chars):
    cut(tmp_path, "coco", chars=chars)
    (path,) = finish_leftovers(tmp_path).finished
    assert [each["image_id"] for each in json.loads(path.read_text())] == [0, 1, 2][
        : 3 - bool(chars)
    ]


@pytest.mark.parametrize("text", ["[", '[\n{"image_id": 1, "b'])
def test_coco_list_without_a_whole_entry_is_an_empty_list(tmp_path, text):
    (tmp_path / "clip.json.part").write_text(text)
    (path,) = finish_leftovers(tmp_path).finished
    assert json.loads(path.read_text()) == []


def test_video_without_its_end_gets_its_name_and_plays(tmp_path):
    part = reserve(tmp_path, "clip", ".mp4")
    video = VideoWriter(part, 30.0, VideoOptions())
    for number in range(30):
        video.write(np.full((48, 64, 3), number, np.uint8), number / 30)
    data = part.path.read_bytes()
    video.close()
    (tmp_path / "clip.mp4").unlink()
    for end in (len(data), data.rfind(b"mdat") - 9):  # the index of a fragment is cut, too
        (tmp_path / "clip.mp4.part").write_bytes(data[:end])
        (path,) = finish_leftovers(tmp_path).finished
        assert len(read_video(path).times_s) >= 18


def test_parts_that_can_not_be_read_stay_unchanged(tmp_path, qapp):
    png = encoded(np.zeros((9, 9, 3), np.uint8), "PNG", 80)
    for name, data in {
        "a.mp4": b"not a video", "b.json": b'{"index": ', "c.png": png[:-2], "d.jsonl": b'{"inde',
    }.items():  # fmt: skip
        (tmp_path / f"{name}.part").write_bytes(data)
    left = finish_leftovers(tmp_path)
    assert (len(left.broken), left.finished) == (4, ())
    assert names(tmp_path) == ["a.mp4.part", "b.json.part", "c.png.part", "d.jsonl.part"]


def test_name_that_is_taken_is_not_replaced(tmp_path):
    cut(tmp_path, "jsonl", chars=0)
    (tmp_path / "clip.jsonl").write_text("mine")
    assert [path.name for path in finish_leftovers(tmp_path).finished] == ["clip_2.jsonl"]
    assert (tmp_path / "clip.jsonl").read_text() == "mine"


def test_a_part_that_has_its_final_name_already_is_not_copied(tmp_path):
    final, part = tmp_path / "clip.jsonl", tmp_path / "clip.jsonl.part"
    final.write_text("{}\n")
    os.link(final, part)  # as of a process that was killed while it renamed
    assert finish_leftovers(tmp_path).finished == (final,)
    assert list(tmp_path.iterdir()) == [final]


@pytest.mark.parametrize(
    "is_repaired",
    [
        pytest.param(False, marks=pytest.mark.skipif(os.name == "nt", reason="it has no locks")),
        True,
    ],
)
def test_two_programs_that_start_together_finish_a_file_once(tmp_path, monkeypatch, is_repaired):
    (tmp_path / "clip.jsonl.part").write_text("{}\n{")
    others: list[Leftovers] = []

    def locked_meanwhile(descriptor: int) -> bool:
        monkeypatch.setattr(leftovers, "lock", lock)
        is_mine = lock(descriptor)
        if is_repaired:
            (tmp_path / "clip.jsonl.part").rename(tmp_path / "clip.jsonl")
        else:
            others.append(finish_leftovers(tmp_path))
        return is_mine

    monkeypatch.setattr(leftovers, "lock", locked_meanwhile)
    mine = () if is_repaired else (tmp_path / "clip.jsonl",)
    assert finish_leftovers(tmp_path) == Leftovers(mine)
    assert all(each == Leftovers() for each in others)
    assert [each.name for each in tmp_path.iterdir()] == ["clip.jsonl"]
