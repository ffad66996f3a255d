import os
from datetime import datetime
from pathlib import Path

import pytest

from kpviewer.errors import RecordingError
from kpviewer.recording import files
from kpviewer.recording.files import (
    free_bytes,
    leftover_recordings,
    publish,
    recording_stem,
    reserve,
    safe_stem,
    source_stem,
)


def test_recordings_are_named_by_the_time_they_start() -> None:
    assert recording_stem(datetime(2026, 11, 5, 8, 7, 6)) == "kpviewer_2026-11-05_08-07-06"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clip one", "clip_one"),
        ("../../etc/passwd", "etc_passwd"),
        (".hidden", "hidden"),
        ("a:b*c?.x", "a_b_c_.x"),
        ("видео", "recording"),
        ("", "recording"),
        ("..", "recording"),
    ],
)
def test_any_text_becomes_a_harmless_file_name(text: str, expected: str) -> None:
    assert safe_stem(text) == expected


def test_names_stay_below_a_hundred_characters(tmp_path: Path) -> None:
    assert len(reserve(tmp_path, "x" * 500, ".jsonl").name) <= 100


def test_source_gives_its_name_without_folder_and_suffix() -> None:
    assert source_stem("/a/holiday.2026.mp4") == "holiday.2026"


def test_finished_file_loses_its_part_suffix(tmp_path: Path) -> None:
    part = reserve(tmp_path / "new" / "folder", "clip", ".mp4")
    part.write_text("done")
    assert part.name == "clip.mp4.part"
    assert publish(part) == tmp_path / "new" / "folder" / "clip.mp4"
    assert not part.exists()


def test_finished_and_growing_files_are_never_overwritten(tmp_path: Path) -> None:
    first, second = (reserve(tmp_path, "clip", ".mp4") for _ in range(2))
    publish(first)
    third = reserve(tmp_path, "clip", ".mp4")
    assert [part.name for part in (second, third)] == ["clip_2.mp4.part", "clip_3.mp4.part"]


def test_name_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    part = reserve(tmp_path, "clip", ".mp4")
    (tmp_path / "clip.mp4").write_text("someone else's")
    assert publish(part).name == "clip_2.mp4"
    assert (tmp_path / "clip.mp4").read_text() == "someone else's"


def test_disk_without_hard_links_is_served_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(files.os, "link", refuse)
    part = reserve(tmp_path, "clip", ".mp4")
    (tmp_path / "clip.mp4").write_text("someone else's")
    assert publish(part).name == "clip_2.mp4"
    assert not part.exists()


def test_file_in_place_of_the_folder_is_told_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(RecordingError, match="Choose another folder"):
        reserve(tmp_path / "taken", "clip", ".mp4")


def test_leftovers_are_old_parts_of_ours_oldest_first(tmp_path: Path) -> None:
    ages_s = {"b.mp4.part": 100, "a.jsonl.part": 50, "new.mp4.part": 0, "other.zip.part": 100}
    for name, age_s in ages_s.items():
        path = tmp_path / name
        path.write_text("")
        then = path.stat().st_mtime - age_s
        os.utime(path, (then, then))
    (tmp_path / "done.mp4").write_text("")
    assert [path.name for path in leftover_recordings(tmp_path)] == ["b.mp4.part", "a.jsonl.part"]


def test_folder_that_is_not_there_has_no_leftovers(tmp_path: Path) -> None:
    assert leftover_recordings(tmp_path / "nowhere") == []


def test_free_space_is_known_before_the_folder_is_made(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") > 0


def test_name_taken_at_the_last_moment_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, rivals = os.link, iter(["someone else's"])

    def link_after_a_rival(part: Path, final: Path) -> None:
        for text in rivals:
            final.write_text(text)
        link(part, final)

    monkeypatch.setattr(files.os, "link", link_after_a_rival)
    part = reserve(tmp_path, "clip", ".mp4")
    assert publish(part).name == "clip_2.mp4"
    assert (tmp_path / "clip.mp4").read_text() == "someone else's"
