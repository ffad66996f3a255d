"""The manifest: what a run writes down, and what the next one reads."""

import os
from multiprocessing.pool import ThreadPool

import pytest

from kpviewer.errors import RecordingError
from kpviewer.processing.inputs import read_inputs
from kpviewer.processing.manifest import Manifest, Record


def record(name: str, **given: object) -> Record:
    return Record(**{"source": f"/clips/{name}.mp4", "name": name, "status": "ok", **given})


def test_the_last_line_of_a_source_counts(tmp_path):
    manifest = Manifest(tmp_path / "out")
    manifest.append(record("a", status="failed", why="damaged"))
    manifest.append(record("b"))
    manifest.append(record("a", frames=12, files={"a.jsonl": 300}))
    read = Manifest(tmp_path / "out")
    assert [each.name for each in read.records] == ["b", "a"]
    (found,) = read.records_of("/clips/a.mp4", "a")
    assert (found.status, found.frames, found.files) == ("ok", 12, {"a.jsonl": 300})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_pipe_in_place_of_a_manifest_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "manifest.jsonl")
    with pytest.raises(RecordingError, match="isn't a regular file"):
        Manifest(tmp_path)


def test_a_source_is_found_by_its_path_and_by_its_name(tmp_path):
    manifest = Manifest(tmp_path)
    manifest.append(record("a"))
    manifest.append(record("b"))
    found = manifest.records_of("/clips/a.mp4", "b")
    assert [each.name for each in found] == ["a", "b"]
    assert manifest.records_of("/elsewhere/a.mp4", "none") == []


def test_shards_have_their_own_file_and_read_all(tmp_path):
    Manifest(tmp_path).append(record("a"))
    Manifest(tmp_path, "1-of-2").append(record("b"))
    Manifest(tmp_path, "2-of-2").append(record("c"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "manifest.jsonl",
        "manifest_1-of-2.jsonl",
        "manifest_2-of-2.jsonl",
    ]
    assert sorted(each.name for each in Manifest(tmp_path, "1-of-2").records) == ["a", "b", "c"]


def test_the_latest_record_counts_in_whichever_file_it_is(tmp_path):
    Manifest(tmp_path, "1-of-2").append(
        record("a", settings="old", ended="2026-03-01T12:00:00+01:00")
    )
    Manifest(tmp_path).append(record("a", settings="new", ended="2026-03-01T11:30:00+00:00"))
    Manifest(tmp_path, "2-of-2").append(record("a", settings="undated"))
    (found,) = Manifest(tmp_path).records_of("/clips/a.mp4", "a")
    assert found.settings == "new"


def test_a_line_that_a_kill_cut_is_reported_and_the_next_begins_anew(tmp_path):
    manifest = Manifest(tmp_path)
    manifest.append(record("a"))
    with manifest.path.open("ab") as file:
        file.write(b'{"source":"/clips/b.mp4","na')
    read = Manifest(tmp_path)
    assert read.notes == [
        "manifest.jsonl: 1 lines can't be read; their sources are processed again."
    ]
    read.append(record("c"))
    assert [each.name for each in Manifest(tmp_path).records] == ["a", "c"]


def test_a_line_that_another_run_is_writing_is_read_once_it_is_whole(tmp_path):
    manifest = Manifest(tmp_path)
    manifest.append(record("a"))
    manifest.refresh()
    line = b'{"source":"/clips/b.mp4","name":"b","status":"ok"}\n'
    for part in (line[:9], line[9:30], line[30:]):
        assert [each.name for each in manifest.records] == ["a"]
        with manifest.path.open("ab") as file:
            file.write(part)
        manifest.refresh()
    assert ([each.name for each in manifest.records], manifest.notes) == (["a", "b"], [])


@pytest.mark.parametrize("name", ["../a.mp4", "/etc/passwd", "b/../../a", ".."])
def test_a_line_that_names_files_elsewhere_is_not_taken(tmp_path, name):
    (tmp_path / "manifest.jsonl").write_text(
        f'{{"source":"a","name":"a","status":"failed","files":{{"{name}":3}}}}\n'
    )
    assert Manifest(tmp_path).records == []


def test_a_name_that_is_not_utf_8_is_kept(tmp_path):
    name = os.fsdecode(b"/clips/\xff.mp4")
    Manifest(tmp_path).append(record("a", source=name, why=f"{name} is damaged"))
    (found,) = Manifest(tmp_path).records
    assert (found.source, found.why) == (name, f"{name} is damaged")
    assert read_inputs([], str(tmp_path / "manifest.jsonl")).sources == (name,)


@pytest.mark.parametrize("line", ["[" * 9999, '{"source":"a"}', '{"source":"\\udcff"}'])
def test_damaged_lines_are_counted(tmp_path, line):
    (tmp_path / "manifest.jsonl").write_text(line)
    assert len(Manifest(tmp_path).notes) == 1


def test_runs_at_once_mix_no_lines(tmp_path):
    manifests = [Manifest(tmp_path) for _ in range(4)]

    def append(number: int) -> None:
        for each in range(20):
            manifests[number].append(record(f"{number}-{each}", why="x" * 5000))

    with ThreadPool(4) as threads:
        threads.map(append, range(4))
    read = Manifest(tmp_path)
    assert (len(read.records), read.notes) == (80, [])


def test_a_manifest_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "manifest.jsonl").mkdir()
    with pytest.raises(RecordingError, match="can't be"):
        Manifest(tmp_path).append(record("a"))
