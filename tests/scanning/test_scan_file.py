import contextlib
import os
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sample_scans import (
    CLASSES,
    FLOOR,
    POINTS,
    SPEC,
    candidates,
    chunk,
    columns,
    frames_in,
    header,
    write_scan,
)

from kpviewer.errors import KpviewerError, RecordingError, ScanError
from kpviewer.scanning import scan_writer
from kpviewer.scanning.columns import ScannedFrame, columns_of
from kpviewer.scanning.engine import ScanLookup
from kpviewer.scanning.header import decode_header
from kpviewer.scanning.records import MAGIC, ScanChunk
from kpviewer.scanning.scan_file import ScanReader, chunks_of, open_scan, read_to_end
from kpviewer.scanning.scan_writer import ScanWriter
from kpviewer.structures import box_outlines


def same(first: ScanChunk, second: ScanChunk) -> bool:
    names = [each.name for each in fields(first.columns)]
    values = [(getattr(first.columns, name), getattr(second.columns, name)) for name in names]
    is_same = all(
        np.array_equal(a, b, equal_nan=True)
        if isinstance(a, np.ndarray) and a.size
        else a is b or np.array_equal(a, b)
        for a, b in values
    )
    return is_same and first.files == second.files


def test_a_scan_comes_back_bit_for_bit(tmp_path):
    parts = [chunk(0, 1), chunk(4), chunk(5, 9)]
    reader = open_scan(write_scan(tmp_path / "clip.kpv", *parts, is_complete=True))
    read = list(chunks_of(reader))
    assert len(read) == 3 and all(map(same, read, parts))
    assert (reader.frames, reader.last_index, reader.is_complete) == (5, 9, True)
    assert reader.header == header() and reader.header.spec == SPEC


@pytest.mark.parametrize("corners", [4, 64])
def test_outlines_come_back_bit_for_bit(tmp_path, corners):
    scanned = candidates(3)
    scanned = replace(scanned, scores=np.full_like(scanned.scores, 0.9))
    spread = np.random.default_rng(0).uniform(0, 64, (len(scanned), corners, 2))
    outlines = spread.astype(np.float32)
    outlines[1] = box_outlines(scanned.xyxy, corners)[1]
    outlines[2, 1:] = outlines[2, 1]  # two corners, and one again and again
    outlines[3] = outlines[3, 0]
    plain, rich = scanned, replace(scanned, outlines_xy=outlines)
    for each, kept in ((rich, outlines), (plain, box_outlines(plain.xyxy, corners))):
        frames = [ScannedFrame(0, 0.0, rich), ScannedFrame(1, 0.1, each)]
        path = tmp_path / f"{each is rich}.kpv"
        write_scan(path, ScanChunk(columns_of(frames, CLASSES, POINTS, FLOOR)))
        found = ScanLookup(path).find(1)
        np.testing.assert_array_equal(found.outlines_xy, kept)
        np.testing.assert_array_equal(found.xyxy, scanned.xyxy)
    no_more = path.stat().st_size
    write_scan(
        tmp_path / "plain.kpv",
        ScanChunk(
            columns_of(
                [replace(frame, candidates=plain) for frame in frames], CLASSES, POINTS, FLOOR
            )
        ),
    )
    few = (tmp_path / "plain.kpv").stat().st_size
    drawn = corners * 5 - (corners - 2) - (corners - 1) if corners > 4 else corners * 5
    assert no_more < few + 8 * drawn + 100, "boxes and repeated corners take no space"


def test_the_layout_is_as_documented(tmp_path):
    """Reads a file without kpviewer: docs/reference/result-files.md has the fields."""
    data = write_scan(tmp_path / "clip.kpv", chunk(3)).read_bytes()
    assert data[:8] == b"\x89KPV\r\n\x1a\n"
    records, at = [], 8
    while at < len(data):
        length, checksum = struct.unpack_from("<II", data, at)
        payload = data[at + 8 : at + 8 + length]
        assert zlib.crc32(payload) == checksum
        records.append(msgspec.msgpack.decode(payload))
        at += 8 + length
    first, frames = records
    assert (first["format"], first["version"], first["floor"]) == ("kpviewer-scan", 1, FLOOR)
    assert frames["type"] == "frames" and frames["files"] == "3.png"
    assert np.frombuffer(frames["frame_index"], "<i8").tolist() == [3]
    (rows,) = np.frombuffer(frames["counts"], "<i4").tolist()
    boxes = np.frombuffer(frames["xyxy"], "<f4").reshape(rows, 4)
    np.testing.assert_array_equal(boxes, columns(3).xyxy)
    assert np.frombuffer(frames["entry_counts"], "<u2").sum() == len(frames["entry_scores"]) / 4


def test_a_reader_follows_a_file_that_grows(tmp_path):
    path = tmp_path / "clip.kpv"
    reader = ScanReader(path)
    assert reader.read_new() == [] and reader.header is None  # not there yet
    writer = ScanWriter(path, header())
    assert frames_in(reader) == [] and reader.header is not None
    writer.append(chunk(0, 1))
    assert frames_in(reader) == [0, 1]
    assert frames_in(reader) == []
    writer.append(chunk(2))
    writer.append(chunk(3))
    assert frames_in(reader) == [2, 3] and not reader.is_complete
    writer.finish()
    assert frames_in(reader) == [] and reader.is_complete
    writer.close()


def test_one_call_returns_a_bounded_part(tmp_path):
    reader = ScanReader(write_scan(tmp_path / "clip.kpv", *(chunk(index) for index in range(9))))
    assert len(reader.read_new(max_bytes=1)) == 1
    assert len(list(chunks_of(reader))) == 8


def test_a_header_that_is_being_written_is_awaited(tmp_path):
    whole = write_scan(tmp_path / "whole.kpv", chunk(0)).read_bytes()
    path = tmp_path / "clip.kpv"
    reader = ScanReader(path)
    for size in (0, 5, 8, 20):
        path.write_bytes(whole[:size])
        assert reader.read_new() == [] and reader.header is None
    path.write_bytes(whole)
    assert frames_in(reader) == [0]


def test_a_torn_tail_is_left_out_and_overwritten(tmp_path):
    path = write_scan(tmp_path / "clip.kpv", chunk(0, 1), chunk(2))
    torn = path.read_bytes()[:-3]
    path.write_bytes(torn)
    reader = ScanReader(path)
    assert frames_in(reader) == [0, 1] and not reader.is_damaged
    path.write_bytes(torn + bytes(10_000))
    writer = ScanWriter(path, after=reader)
    assert writer.frames == 2
    writer.append(chunk(2, 3))
    writer.finish()
    writer.close()
    assert frames_in(reader) == [2, 3] and reader.is_complete
    assert frames_in(open_scan(path)) == [0, 1, 2, 3]
    assert reader.end_bytes == path.stat().st_size


def test_frames_that_come_twice_are_refused(tmp_path):
    reader = ScanReader(write_scan(tmp_path / "clip.kpv", chunk(0, 1), chunk(1, 2)))
    with pytest.raises(ScanError, match="aren't in order"):
        reader.read_new()


def test_zeros_after_a_power_cut_are_a_torn_tail(tmp_path):
    path = write_scan(tmp_path / "clip.kpv", chunk(0, 1))
    path.write_bytes(path.read_bytes() + bytes(4096))
    reader = ScanReader(path)
    assert frames_in(reader) == [0, 1] and reader.is_damaged


@pytest.mark.parametrize("replaced", ["other", "shorter", "removed", "same inode"])
def test_a_file_that_is_replaced_is_noticed(tmp_path, replaced):
    path = write_scan(tmp_path / "clip.kpv", chunk(0, 1))
    reader = ScanReader(path)
    frames_in(reader)
    if replaced == "other":
        write_scan(tmp_path / "new.kpv", chunk(0, 1, 2)).replace(path)
    elif replaced == "shorter":
        os.truncate(path, 100)
    elif replaced == "removed":
        path.unlink()
    else:
        writer = ScanWriter(tmp_path / "new.kpv", header(model_hash="ef" * 32))
        writer.append(chunk(*range(9)))
        writer.close()
        path.write_bytes((tmp_path / "new.kpv").read_bytes())
    with pytest.raises(ScanError, match="replaced"):
        reader.read_new()


def test_a_second_writer_is_refused(tmp_path):
    path = tmp_path / "clip.kpv"
    writer = ScanWriter(path, header())
    with pytest.raises(ScanError, match="being written"):
        ScanWriter(path, after=open_scan(path))
    writer.close()
    ScanWriter(path, after=open_scan(path)).close()


@pytest.mark.parametrize("is_longer", [True, False], ids=["longer", "another"])
def test_a_file_that_changed_since_it_was_read_is_not_continued(is_longer, tmp_path):
    path = write_scan(tmp_path / "clip.kpv", chunk(0))
    before, after = read_to_end(ScanReader(path)), read_to_end(ScanReader(path))
    if is_longer:
        writer = ScanWriter(path, after=after)
        writer.append(chunk(1, 2, 3))
        writer.close()
    else:
        path.write_bytes(write_scan(tmp_path / "new.kpv", chunk(0, 1, 2, 3)).read_bytes())
    content = path.read_bytes()
    with pytest.raises(ScanError, match=r"changed meanwhile|was replaced"):
        ScanWriter(path, after=before)
    assert path.read_bytes() == content


def test_two_writers_that_begin_at_once_do_not_mix(tmp_path, monkeypatch):
    path = tmp_path / "clip.kpv"
    monkeypatch.setattr(scan_writer, "is_held", lambda _path: False)  # neither had opened it yet
    writer = ScanWriter(path, header())
    for after in (None, open_scan(path)):
        with pytest.raises(ScanError, match="being written"):
            ScanWriter(path, header() if after is None else None, after)
    writer.append(chunk(0))
    writer.close()
    assert frames_in(open_scan(path)) == [0]


def test_a_new_scan_overwrites_no_file(tmp_path):
    path = tmp_path / "clip.kpv"
    path.write_text("notes")
    with pytest.raises(ScanError, match="changed"):
        ScanWriter(path, header())
    assert path.read_text() == "notes"


def test_a_file_that_is_removed_while_it_is_written_is_an_error(tmp_path):
    path = tmp_path / "clip.kpv"
    writer = ScanWriter(path, header())
    path.unlink()
    with pytest.raises(RecordingError, match="removed"):
        writer.append(chunk(0))
    writer.close()


@pytest.mark.parametrize(
    ("name", "value"), [("xyxy", np.inf), ("keypoints_xy", np.nan), ("entry_scores", 1.5)]
)
def test_nothing_is_written_that_could_not_be_read(tmp_path, name, value):
    wrong = columns(0)
    getattr(wrong, name).flat[0] = value
    writer = ScanWriter(tmp_path / "clip.kpv", header())
    with pytest.raises(ScanError, match="can't be kept"):
        writer.append(ScanChunk(wrong))
    writer.close()


def test_no_scan_is_refused_in_one_line(tmp_path):
    for name, content in (("a.kpv", b"RIFF...."), ("b.kpv", b""), ("c.kpv", None)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ScanError) as caught:
            open_scan(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "d.kpv")
    with pytest.raises(ScanError, match="regular"):
        ScanReader(tmp_path / "d.kpv").read_new()


def test_a_newer_format_says_so():
    table = msgspec.msgpack.decode(msgspec.msgpack.encode(header()))
    newer = msgspec.msgpack.encode({"version": 9, "other": table})
    with pytest.raises(ScanError, match="newer kpviewer"):
        decode_header(newer, "clip.kpv")


# -- hostile and damaged files -----------------------------------------------------------------


def outcome(path: Path) -> list[int]:
    """Return the frames that a damaged file gives, each exactly as it was written."""
    reader, indices = ScanReader(path), []
    try:
        for each in chunks_of(reader):
            row = 0
            for row, index in enumerate(each.columns.frame_index.tolist()):
                np.testing.assert_array_equal(
                    each.columns.candidates(row).xyxy, columns(index).candidates(0).xyxy
                )
                indices.append(index)
    except KpviewerError as error:
        assert len(str(error).splitlines()) == 1
    return indices


def test_a_file_cut_at_any_byte_gives_its_whole_records(tmp_path):
    path = write_scan(tmp_path / "clip.kpv", chunk(0, 1), chunk(2), is_complete=True)
    data, ends = path.read_bytes(), []
    reader = open_scan(path)
    while reader.read_new(max_bytes=1):
        ends.append(reader.end_bytes)
    for size in reversed(range(len(data))):
        os.truncate(path, size)
        expected = [0, 1, 2] if size >= ends[1] else [0, 1] if size >= ends[0] else []
        assert outcome(path) == expected, size


def test_no_flipped_byte_changes_a_value(tmp_path):
    data = write_scan(tmp_path / "clip.kpv", chunk(0, 1), chunk(2)).read_bytes()
    flipped = tmp_path / "flipped.kpv"
    for at in range(0, len(data), 3):
        flipped.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        assert outcome(flipped) in ([], [0, 1])


def with_record(path: Path, change: Callable[[dict[str, object]], object]) -> Path:
    """Write a scan with one changed record whose checksum is right."""
    write_scan(path, chunk(0, 1))
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 8)
    start = 16 + length
    record = msgspec.msgpack.decode(data[start + 8 :])
    payload = msgspec.msgpack.encode(change(record))
    path.write_bytes(data[:start] + struct.pack("<II", len(payload), zlib.crc32(payload)) + payload)
    return path


def outlined(record: dict[str, object], corners: int, each: int, have: int) -> dict[str, object]:
    """A record whose candidates say that they have ``each`` corners, and have others."""
    rows = len(record["xyxy"]) // 16
    outlines = {"outline_counts": bytes([each]) * rows, "outlines_xy": b"\0" * 8 * rows * have}
    return {**record, "outline_corners": corners, **outlines}


HUGE = np.array([2**31 - 1] * 2, "<i4").tobytes()
HOSTILE: dict[str, Callable[[dict[str, object]], object]] = {
    "counts": lambda record: {**record, "counts": HUGE},
    "negative counts": lambda record: {**record, "counts": np.array([-1, 9], "<i4").tobytes()},
    "entry counts": lambda record: {**record, "entry_counts": b"\xff\xff" * 12},
    "classes": lambda record: {**record, "entry_classes": b"\xff" * len(record["entry_classes"])},
    "scores": lambda record: {**record, "entry_scores": b"\x00" * len(record["entry_scores"])},
    "nan scores": lambda record: {**record, "entry_scores": b"\xff" * len(record["entry_scores"])},
    "boxes": lambda record: {**record, "xyxy": b"\xff" * len(record["xyxy"])},
    "order": lambda record: {**record, "frame_index": np.array([1, 0], "<i8").tobytes()},
    "index": lambda record: {**record, "frame_index": np.array([0, 2**60], "<i8").tobytes()},
    "sizes": lambda record: {**record, "size_wh": np.array([-1] * 4, "<i4").tobytes()},
    "odd bytes": lambda record: {**record, "xyxy": record["xyxy"] + b"\0"},
    "files": lambda record: {**record, "files": "a.png"},
    "many files": lambda record: {**record, "files": "\0" * 1_000_000},
    "list of files": lambda record: {**record, "files": ["a"] * 1_000_000},
    "corners": lambda record: outlined(record, 4, 64, 64),
    "many corners": lambda record: outlined(record, 2**31, 4, 4),
    "few corners": lambda record: outlined(record, 64, 64, 1),
    "no corners": lambda record: outlined(record, 1, 1, 1),
    "nan corners": lambda record: {
        **outlined(record, 4, 1, 1),
        "outlines_xy": b"\xff" * (len(record["xyxy"]) // 2),
    },
    "type": lambda record: {**record, "type": "pickle"},
    "missing": lambda record: {"type": "frames"},
    "end": lambda record: {"type": "end", "frames": 7},
    "no map": lambda record: [[[[]]]],
    "text": lambda record: {**record, "xyxy": "text"},
    "empty": lambda record: {
        name: b"" if isinstance(value, bytes) else value for name, value in record.items()
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_record_is_refused_in_one_line(tmp_path, name):
    path = with_record(tmp_path / "clip.kpv", HOSTILE[name])
    tracemalloc.start()
    with pytest.raises(ScanError) as caught:
        list(chunks_of(ScanReader(path)))
    assert tracemalloc.get_traced_memory()[1] < 4e6
    tracemalloc.stop()
    assert len(str(caught.value).splitlines()) == 1
    assert "clip.kpv is damaged" in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"floor": float("nan")},
        {"floor": 2.0},
        {"frame_count": -1},
        {"fps": float("inf")},
        {"width": 2**40},
        {"model_hash": "x" * 500},
        {"fingerprint": ""},
        {"spec_json": "{}"},
        {"spec_json": "[" * 100_000},
        {"format": "zip"},
        {"version": -1},
        {"version": 2**63},
        {"backend": "b" * 1000},
    ],
)
def test_a_hostile_header_is_refused_in_one_line(change):
    table = msgspec.msgpack.decode(msgspec.msgpack.encode(header()))
    table.update(change)
    with pytest.raises(ScanError) as caught:
        decode_header(msgspec.msgpack.encode(table), "clip.kpv")
    assert len(str(caught.value).splitlines()) == 1


def test_a_stated_length_is_not_allocated(tmp_path):
    path = tmp_path / "clip.kpv"
    for length in (2**32 - 1, 2**25, 2**20):
        path.write_bytes(MAGIC + struct.pack("<II", length, 0) + b"abc")
        tracemalloc.start()
        with contextlib.suppress(ScanError):
            assert ScanReader(path).read_new() == []
        assert tracemalloc.get_traced_memory()[1] < 4e6
        tracemalloc.stop()


def test_a_scan_that_is_cut_while_its_frames_are_looked_up_is_named(tmp_path):
    path = write_scan(tmp_path / "clip.kpv", *(chunk(index) for index in range(20)))
    lookup = ScanLookup(path)
    assert lookup.find(0) is not None
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(ScanError, match="was cut while it was read"):
        lookup.find(19)
