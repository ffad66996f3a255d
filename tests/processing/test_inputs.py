"""Sources of a run, named one by one, by folder, by pattern and by list."""

import io
import sys
from pathlib import Path

import pytest

from kpviewer.errors import InputError, SourceError
from kpviewer.processing.inputs import read_inputs
from kpviewer.processing.names import planned_stems
from kpviewer.processing.shard import Shard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b10.mp4", "b2.MKV", "notes.txt", ".hidden.mp4", "sub/c.mp4"):
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "clips"


def test_a_folder_stands_for_its_videos_and_names_what_is_left_out(folder):
    found = read_inputs([str(folder), "demo"])
    assert found.sources == (str(folder / "b2.MKV"), str(folder / "b10.mp4"), "demo")
    assert found.folders == (folder,)
    text = "\n".join(found.notes)
    assert "notes.txt" in text and "sub" in text and ".hidden.mp4" in text


def test_broken_links_are_named_as_such(folder):
    (folder / "gone.mp4").symlink_to("nowhere.mp4")
    (folder / "gone.png").symlink_to("nowhere.png")
    found = read_inputs([str(folder)])
    assert found.sources == (str(folder / "b2.MKV"), str(folder / "b10.mp4"), str(folder))
    notes = "\n".join(found.notes)
    assert "1 of 6 files left out: broken links or pipes (gone.mp4)" in notes
    assert "1 of 1 folders left out" in notes


def test_images_beside_videos_are_one_more_source(folder):
    (folder / "a.png").write_bytes(b"")
    assert read_inputs([str(folder)]).sources[-1] == str(folder)


def test_a_folder_of_images_alone_is_one_source(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    assert read_inputs([str(tmp_path)]).sources == (str(tmp_path),)


def test_a_pattern_stands_for_its_videos(folder):
    assert read_inputs([str(folder / "b*")]).sources == (
        str(folder / "b2.MKV"),
        str(folder / "b10.mp4"),
    )


def test_a_file_that_is_named_in_two_ways_is_one_source(folder, monkeypatch):
    monkeypatch.chdir(folder)
    found = read_inputs(
        ["b2.MKV", "./b2.MKV", str(folder / "b2.MKV"), "rtsp://a:1@h", "rtsp://a:2@h"]
    )
    assert found.sources == ("b2.MKV", "rtsp://a:1@h", "rtsp://a:2@h")
    assert "2 sources are named twice" in found.notes[0]


def test_a_list_has_a_source_a_line(tmp_path):
    (tmp_path / "list.txt").write_text("# clips\na.mp4\n\n/far/b.mp4\nrtsp://host/live\n")
    assert read_inputs(["c.mp4"], str(tmp_path / "list.txt")).sources == (
        "c.mp4",
        str(tmp_path / "a.mp4"),
        "/far/b.mp4",
        "rtsp://host/live",
    )


def test_a_list_in_utf_16_is_refused(tmp_path):
    (tmp_path / "list.txt").write_text("a.mp4\n", "utf-16")
    with pytest.raises(SourceError, match="Save the list as UTF-8"):
        read_inputs([], str(tmp_path / "list.txt"))


def test_lines_of_a_manifest_are_sources(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"source":"/a.mp4","status":"failed"}\n{"source":"/b.mp4"}')
    assert read_inputs([], str(tmp_path / "m.jsonl")).sources == ("/a.mp4", "/b.mp4")


def test_a_name_like_a_comment_can_be_written_as_json(tmp_path):
    (tmp_path / "list.txt").write_text('#2.mp4\n{"source": "#1.mp4"}\n')
    assert read_inputs([], str(tmp_path / "list.txt")).sources == (str(tmp_path / "#1.mp4"),)


def test_a_list_comes_from_stdin(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a.mp4\nb.mp4")))
    assert read_inputs([], "-").sources == ("a.mp4", "b.mp4")


def test_a_source_that_is_named_twice_is_processed_once_and_reported():
    found = read_inputs(["a.mp4", "b.mp4", "a.mp4"])
    assert found.sources == ("a.mp4", "b.mp4")
    assert found.notes == ("1 source is named twice, and processed once.",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no source"),
        ('{"path":"a"}', "line 1"),
        ("{", "line 1"),
        (r'{"source":"\ud800.mp4"}', "line 1"),
        ("[" * 9 + "\n{" + "[" * 5000, "line 2"),
        ("a" * 40_000, "at most"),
    ],
)
def test_a_damaged_list_is_an_error(tmp_path, text, reason):
    (tmp_path / "list").write_text(text)
    with pytest.raises(SourceError, match=reason):
        read_inputs([], str(tmp_path / "list"))


def test_a_missing_list_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="can't be read"):
        read_inputs([], str(tmp_path / "none"))


def test_sources_of_one_name_get_different_files():
    sources = ["a/clip.mp4", "b/clip.mp4", "c/Clip.mkv", "d/clip_2.mp4", "e/other.mp4"]
    assert planned_stems(sources, [".jsonl"]) == ["clip", "clip_2", "Clip_3", "clip_2_2", "other"]


def test_names_that_meet_by_their_endings_are_kept_apart():
    assert planned_stems(["clip.mp4", "clip_raw.mp4"], [".mp4", "_raw.mp4"]) == [
        "clip",
        "clip_raw_2",
    ]


def test_no_source_takes_the_name_of_the_manifest():
    assert planned_stems(["manifest.mp4"], [".jsonl"]) == ["manifest_2"]


def test_long_names_stay_different():
    sources = [f"{folder}/{'x' * 200}.mp4" for folder in range(3)]
    stems = planned_stems(sources, [".jsonl"])
    assert len(set(stems)) == 3 and max(map(len, stems)) <= 70


def test_each_source_is_in_one_shard_whatever_else_is_listed():
    sources = [f"/clips/{number}.mp4" for number in range(200)]
    shards = [Shard(number, 3) for number in (1, 2, 3)]
    owners = {source: [each.number for each in shards if each.has(source)] for source in sources}
    assert all(len(found) == 1 for found in owners.values())
    sizes = [sum(found == [number] for found in owners.values()) for number in (1, 2, 3)]
    assert min(sizes) > 40


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/2", "1/2/3", "٣/٤"])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="I/N"):
        Shard.parse(text)


def test_a_shard_is_a_number_of_a_count():
    assert Shard.parse("3/8") == Shard(3, 8)
    assert Shard(3, 8).name == "3-of-8"
