"""Claims on file names: killed attempts are replaced, all other files are kept."""

import errno
import os
import sys
from pathlib import Path

import pytest

from kpviewer.errors import RecordingError
from kpviewer.processing.claims import SUFFIX, Claim, ClaimedElsewhereError, bytes_of, claim, forget
from kpviewer.system.locks import lock

ENDINGS = (".mp4", ".jsonl")


def claimed(folder: Path, **given: object) -> str:
    """Claim "clip", and release it as a process does that ends."""
    found = claim(folder, "clip", ENDINGS, **given)
    found.leave()
    return found.stem


def test_a_held_claim_makes_another_choose_the_next_name(tmp_path):
    first = claim(tmp_path, "clip", ENDINGS)
    second = claim(tmp_path, "clip", ENDINGS)
    assert (first.stem, second.stem) == ("clip", "clip_2")
    first.leave()
    second.leave()


def test_another_command_replaces_all_that_a_killed_one_left(tmp_path):
    claim(tmp_path, "clip", (".mp4", "_voc"), work="a.mp4 as video").leave()
    (tmp_path / "clip.mp4.part").write_text("half")
    (tmp_path / "clip_voc").mkdir()
    (tmp_path / "clip.csv").write_text("a table of the user's own")
    other = claim(tmp_path, "clip", (".jsonl",), work="a.mp4 as JSON")
    other.end()
    assert (other.stem, os.listdir(tmp_path)) == ("clip", ["clip.csv"])


def test_work_under_a_second_name_is_known_once_the_first_is_free(tmp_path):
    other = claim(tmp_path, "clip", ENDINGS, work="a.mp4 as video")
    second = claim(tmp_path, "clip", ENDINGS, work="a.mp4 as JSON")
    other.end()
    with pytest.raises(ClaimedElsewhereError):
        claim(tmp_path, "clip", ENDINGS, work="a.mp4 as JSON")
    (tmp_path / "clip_2.jsonl.part").write_text("half")
    second.leave()
    again = claim(tmp_path, "clip", ENDINGS, work="a.mp4 as JSON")
    assert (again.stem, os.listdir(tmp_path)) == ("clip", ["clip" + SUFFIX])
    again.end()


def test_endings_that_no_result_has_are_not_believed(tmp_path):
    (tmp_path / ("clip" + SUFFIX)).write_bytes(b"a.mp4\0.docx\0/../own.csv\0")
    for name in ("clip.docx", "own.csv", "clip"):
        (tmp_path / name).write_text("the user's own")
    claimed(tmp_path)
    assert {"clip.docx", "own.csv", "clip"} < set(os.listdir(tmp_path))


def test_a_claim_for_the_same_work_is_not_made_twice(tmp_path):
    first = claim(tmp_path, "clip", ENDINGS, work="a.mp4 as JSON")
    with pytest.raises(ClaimedElsewhereError):
        claim(tmp_path, "clip", ENDINGS, work="a.mp4 as JSON")
    other = claim(tmp_path, "clip", ENDINGS, work="a.mp4 as CSV")
    assert other.stem == "clip_2"
    other.end()
    first.end()
    assert not list(tmp_path.iterdir())


def test_of_two_runs_that_begin_at_once_one_has_the_claim(tmp_path, monkeypatch):
    others: list[Claim] = []

    def lock_late(descriptor: int) -> bool:
        """Let another run claim between the making and the locking of the file."""
        monkeypatch.setattr("kpviewer.processing.claims.lock", lock)
        others.append(claim(tmp_path, "clip", ENDINGS, work="a.mp4"))
        return lock(descriptor)

    monkeypatch.setattr("kpviewer.processing.claims.lock", lock_late)
    with pytest.raises(ClaimedElsewhereError):
        claim(tmp_path, "clip", ENDINGS, work="a.mp4")
    assert [other.stem for other in others] == ["clip"]
    others[0].end()
    assert not list(tmp_path.iterdir())


def test_without_hard_links_a_claim_is_made_too(tmp_path, monkeypatch):
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    first, second = (claim(tmp_path, "clip", ENDINGS) for _ in range(2))
    assert (first.stem, second.stem) == ("clip", "clip_2")
    first.end()
    second.end()
    assert not list(tmp_path.iterdir())


def test_a_look_at_a_claim_that_was_left_changes_no_name(tmp_path, monkeypatch):
    claimed(tmp_path, work="a.mp4")

    def lock_once_more(_: int) -> bool:
        monkeypatch.setattr("kpviewer.processing.claims.lock", lock)
        return False

    monkeypatch.setattr("kpviewer.processing.claims.lock", lock_once_more)
    assert claimed(tmp_path, work="a.mp4") == "clip"


def test_files_of_a_killed_attempt_are_replaced(tmp_path):
    claimed(tmp_path)  # its file stays, as the process was killed
    (tmp_path / "clip.mp4.part").write_bytes(b"half")
    (tmp_path / "clip.jsonl").write_bytes(b"whole")
    (tmp_path / "clip_raw.mp4").write_bytes(b"another source's")
    assert claimed(tmp_path) == "clip"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip" + SUFFIX, "clip_raw.mp4"]


def test_other_files_are_kept(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"mine")
    assert claimed(tmp_path) == "clip_2"
    assert (tmp_path / "clip.mp4").read_bytes() == b"mine"
    assert not (tmp_path / ("clip" + SUFFIX)).exists()


def test_a_claim_that_cannot_be_written_leaves_no_file(tmp_path, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(RecordingError, match="disk is full"):
        claim(tmp_path, "clip", ENDINGS, work="a.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="makes a link")
def test_a_link_in_place_of_a_claim_is_not_followed(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / ("clip" + SUFFIX)).symlink_to("mine.txt")
    found = claim(tmp_path, "clip", ENDINGS, work="a.mp4")
    assert found.stem == "clip_2"
    found.end()
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_files_that_a_failed_attempt_recorded_are_replaced_unless_changed(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"half")
    assert claimed(tmp_path, replaced={"clip.mp4": 4}) == "clip"
    forget(tmp_path, "clip")
    (tmp_path / "clip.mp4").write_bytes(b"edited")
    assert claimed(tmp_path, replaced={"clip.mp4": 4}) == "clip_2"
    assert (tmp_path / "clip.mp4").read_bytes() == b"edited"


def test_size_of_a_folder_is_that_of_its_files(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x").write_bytes(b"123")
    (tmp_path / "a" / "b" / "y").write_bytes(b"4567")
    assert bytes_of(tmp_path / "a") == 7
    (tmp_path / "a" / ".DS_Store").write_text("of a file manager")
    assert bytes_of(tmp_path / "a") == 7
    assert bytes_of(tmp_path / "none") is None
