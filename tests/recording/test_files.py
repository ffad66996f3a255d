from datetime import datetime
from pathlib import Path

import pytest

from kpviewer.recording.files import (
    StemClaim,
    free_bytes,
    recording_stem,
    recording_target,
    safe_stem,
    source_stem,
)
from kpviewer.recording.parts import reserve

NOW = datetime(2026, 11, 5, 8, 7, 6)


def test_recordings_are_named_by_the_time_they_start():
    assert recording_stem(now=NOW) == "kpviewer_2026-11-05_08-07-06"
    assert recording_stem("my clip.mp4", NOW) == "my_clip_2026-11-05_08-07-06"
    for letter, count in (("x", 40), ("録", 26)):  # an "録" has three bytes
        expected = letter * count + "_2026-11-05_08-07-06"
        assert recording_stem(letter * 99 + ".mp4", NOW) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clip one", "clip_one"),
        ("../../etc/passwd", "etc_passwd"),
        (".hidden", "hidden"),
        ("a:b*c?.x", "a_b_c_.x"),
        ("видео 2", "видео_2"),
        ("日本 🎥", "日本"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("วิดีโอ", "วิดีโอ"),
        ("🎥" * 9, "recording"),
        ("録画" * 99, "録画" * 20),
        ("bad\udcff", "bad"),
        ("", "recording"),
        ("..", "recording"),
    ],
)
def test_any_text_becomes_a_harmless_file_name(text, expected):
    assert safe_stem(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/a/holiday.2026.mp4", "holiday.2026"),
        ("IMG_1.JPG", "IMG_1"),
        ("http://camera/video.cgi", "video"),
        ("/a/v1.2", "v1.2"),  # a folder
        ("2026.07.01", "2026.07.01"),
        ("a/photos/*.jpg", "photos"),
        ("photos/**/?.png", "photos"),
        ("photos/IMG_*.jpg", "IMG"),
        ("*.jpg", "recording"),
    ],
)
def test_source_gives_its_name_without_folder_and_suffix(name, expected):
    assert source_stem(name) == expected


@pytest.mark.parametrize(
    ("file", "stem"), [("clip.mp4", "clip"), ("clip.avi", "clip"), ("take 2.5", "take 2.5")]
)
def test_a_recording_has_the_name_that_was_typed(tmp_path, file, stem):
    assert recording_target(str(tmp_path / file), Path()) == (tmp_path, stem)


@pytest.mark.parametrize("letter", ["x", "録"])
def test_files_of_one_recording_share_a_long_name(tmp_path, letter):
    for number in ("", "_2"):
        claim = StemClaim(tmp_path, letter * 99, (".mp4", "_raw.mp4"))
        parts = [reserve(tmp_path, claim.stem + end, ".mp4") for end in ("", "_raw")]
        assert claim.stem.strip(letter) == number
        assert [part.publish().name for part in parts] == [
            f"{claim.stem}.mp4",
            f"{claim.stem}_raw.mp4",
        ]
        claim.release()
    third = StemClaim(tmp_path, letter * 99, (".mp4", ".jsonl"))
    assert reserve(tmp_path, third.stem, ".jsonl").name == f"{third.stem}.jsonl.part"
    third.release()


@pytest.mark.parametrize("name", ["x" * 72, "録" * 40])
def test_end_of_a_long_name_is_kept(name):
    stem = source_stem(f"{name}.mp4", "_frame-123")
    assert stem.endswith("_frame-123") and safe_stem(stem) == stem


def test_free_space_is_known_before_the_folder_is_made(tmp_path):
    assert free_bytes(tmp_path / "not" / "yet") > 0


def test_recordings_that_begin_at_once_get_names_of_their_own(tmp_path):
    first, second = (StemClaim(tmp_path, "clip", (".mp4", ".jsonl")) for _ in range(2))
    assert (first.stem, second.stem) == ("clip", "clip_2")
    first.release()
    third = StemClaim(tmp_path, "clip", (".mp4",))
    first.release()  # again: the third's claim stays
    assert third.stem == "clip"
    third.release()
    (tmp_path / "clip.jsonl").touch()
    assert StemClaim(tmp_path, "clip", (".jsonl",)).stem == "clip_3"
