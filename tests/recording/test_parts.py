import os
import shutil
from pathlib import Path

import pytest

from kpviewer.errors import RecordingError
from kpviewer.recording import parts
from kpviewer.recording.parts import Part, publish, reserve, save_file
from kpviewer.system.locks import is_held

pytestmark = pytest.mark.filterwarnings("error")
needs_posix = pytest.mark.skipif(os.name == "nt", reason="open files can't be removed there")


def part_of(folder: Path, data: bytes = b"done") -> Part:
    part = reserve(folder, "clip", ".mp4")
    part.write(data)
    return part


def test_names_stay_below_a_hundred_characters(tmp_path):
    assert len(reserve(tmp_path, "x" * 500, ".jsonl").name) <= 100


def test_finished_file_loses_its_part_suffix(tmp_path):
    part = part_of(tmp_path / "new" / "folder")
    assert part.name == "clip.mp4.part"
    assert part.publish() == tmp_path / "new" / "folder" / "clip.mp4"
    assert not part.path.exists()


def test_finished_and_growing_files_are_never_overwritten(tmp_path):
    first, second = (reserve(tmp_path, "clip", ".mp4") for _ in range(2))
    first.publish()
    third = reserve(tmp_path, "clip", ".mp4")
    assert [part.name for part in (second, third)] == ["clip_2.mp4.part", "clip_3.mp4.part"]


def test_name_taken_meanwhile_is_left_alone(tmp_path):
    part = part_of(tmp_path)
    (tmp_path / "clip.mp4").write_text("someone else's")
    assert part.publish().name == "clip_2.mp4"
    assert (tmp_path / "clip.mp4").read_text() == "someone else's"


def test_disk_without_hard_links_works_too(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(parts.os, "link", refuse)
    part = part_of(tmp_path)
    (tmp_path / "clip.mp4").write_text("someone else's")
    assert part.publish().name == "clip_2.mp4"
    assert not part.path.exists()


def test_file_in_place_of_the_folder_is_reported_with_the_fix(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(RecordingError, match="Choose another folder"):
        reserve(tmp_path / "taken", "clip", ".mp4")


def test_name_taken_at_the_last_moment_is_left_alone(tmp_path, monkeypatch):
    link, rivals = os.link, iter(["someone else's"])

    def link_after_a_rival(part: Path, final: Path) -> None:
        for text in rivals:
            final.write_text(text)
        link(part, final)

    monkeypatch.setattr(parts.os, "link", link_after_a_rival)
    assert part_of(tmp_path).publish().name == "clip_2.mp4"
    assert (tmp_path / "clip.mp4").read_text() == "someone else's"


@needs_posix
@pytest.mark.parametrize("how", ["part removed", "folder removed", "folder moved", "replaced"])
def test_content_is_saved_again_when_its_name_is_gone(tmp_path, how):
    folder = tmp_path / "recordings"
    part = part_of(folder, b"first ")
    assert part.is_there()
    if how == "part removed":
        part.path.unlink()
    elif how == "folder removed":
        shutil.rmtree(folder)
    elif how == "folder moved":
        folder.rename(tmp_path / "elsewhere")
    else:
        part.path.unlink()
        part.path.write_bytes(b"someone else's")
    assert not part.is_there()
    part.write(b"and last")  # an open file can still grow
    final = part.publish()
    assert final.parent == folder
    assert final.read_bytes() == b"first and last"
    if how == "replaced":
        assert part.path.read_bytes() == b"someone else's"


@needs_posix
def test_content_that_cannot_be_saved_again_is_reported(tmp_path):
    part = part_of(tmp_path / "recordings")
    shutil.rmtree(tmp_path / "recordings")
    (tmp_path / "file").write_text("")
    part.rescue_folder = tmp_path / "file"
    with pytest.raises(
        RecordingError, match=r"clip\.mp4\.part was removed .* can't be saved again"
    ):
        part.publish()


def test_discarded_part_leaves_nothing(tmp_path):
    part_of(tmp_path).discard()
    assert list(tmp_path.iterdir()) == []


def test_growing_file_is_held_until_it_is_published(tmp_path):
    part = part_of(tmp_path)
    assert is_held(part.path)
    assert not is_held(part.publish())


def test_file_without_a_writer_is_not_held_however_young(tmp_path):
    (tmp_path / "clip.mp4.part").write_text("cut")
    assert not is_held(tmp_path / "clip.mp4.part")


def test_whole_file_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parts.os, "write", full)
    with pytest.raises(RecordingError, match=r"one\.png can't be written: the disk is full"):
        save_file(tmp_path, "one", ".png", b"data")
    assert list(tmp_path.iterdir()) == []


def test_short_writes_lose_nothing(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(parts.os, "write", lambda file, data: write(file, data[:3]))
    assert save_file(tmp_path, "one", ".txt", b"0123456789").read_bytes() == b"0123456789"


def test_leftover_part_can_be_published(tmp_path):
    (tmp_path / "clip.mp4.part").write_text("cut")
    assert publish(tmp_path / "clip.mp4.part") == tmp_path / "clip.mp4"
