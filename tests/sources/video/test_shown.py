"""Videos are shown as players show them: by display matrix and by pixel aspect."""

import struct
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from PIL import Image
from videos import HEIGHT, WIDTH, buffer, numbered_image, write_video

from kpviewer.sources.base import FrameSource
from kpviewer.sources.open import make_source
from kpviewer.structures import ImageArray

SHOWN = numbered_image(37)
MATRICES = {
    "unchanged": ((1, 0, 0, 1), SHOWN),
    "mirrored": ((-1, 0, 0, 1), SHOWN[:, ::-1]),
    "half turn": ((-1, 0, 0, -1), SHOWN[::-1, ::-1]),
    "upside down": ((1, 0, 0, -1), SHOWN[::-1]),
    "transposed": ((0, 1, 1, 0), SHOWN.swapaxes(0, 1)),
    "clockwise": ((0, 1, -1, 0), np.rot90(SHOWN, -1)),
    "transversed": ((0, -1, -1, 0), SHOWN[::-1, ::-1].swapaxes(0, 1)),
    "anticlockwise": ((0, -1, 1, 0), np.rot90(SHOWN)),
}


def with_matrix(path: Path, values: tuple[int, int, int, int]) -> None:
    """Write a display matrix into the track header of an MP4 or MOV."""
    raw = bytearray(path.read_bytes())
    at = raw.find(b"tkhd")
    start = at + 8 + (20 if raw[at + 4] == 0 else 32) + 16
    a, b, c, d = (value << 16 for value in values)
    struct.pack_into(">9i", raw, start, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(raw)


def frames_of(source: FrameSource) -> list[ImageArray]:
    found = []
    while (captured := source.read(buffer)) is not None:
        found.append(captured.bgr)
    return found


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("name", MATRICES)
def test_a_video_is_turned_and_mirrored_as_its_matrix_says(tmp_path, name, suffix):
    path = tmp_path / f"film{suffix}"
    write_video(path, frames=38)
    values, expected = MATRICES[name]
    with_matrix(path, values)
    source = make_source(str(path))
    info = source.open()
    source.seek(37)
    shown = frames_of(source)[0]
    source.close()
    assert (info.height, info.width) == shown.shape[:2] == expected.shape[:2]
    assert np.abs(shown.astype(int) - expected).mean() < 6


@pytest.mark.parametrize("orientation", [0, 2, 6])
def test_frames_with_exif_are_read_and_turned(tmp_path, orientation):
    path = tmp_path / "camera.avi"
    exif = Image.Exif()
    exif.update({0x010F: "Maker"} | ({0x0112: orientation} if orientation else {}))
    jpeg = BytesIO()
    Image.fromarray(SHOWN[:, :, ::-1]).save(jpeg, "JPEG", quality=95, exif=exif)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        for number in range(3):
            packet = av.Packet(jpeg.getvalue())
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            container.mux(packet)
    source = make_source(str(path))
    source.open()
    shown = frames_of(source)
    source.close()
    expected = {0: SHOWN, 2: SHOWN[:, ::-1], 6: np.rot90(SHOWN, -1)}[orientation]
    assert len(shown) == 3
    assert shown[0].shape == expected.shape
    assert np.abs(shown[0].astype(int) - expected).mean() < 6


CONTAINERS = {
    "a.mp4": {},
    "a.mkv": {},
    "a.ts": {},
    "a.mov": {"codec": "mpeg4"},
    "a.avi": {"codec": "mpeg4"},
    "a.mpg": {"codec": "mpeg2video"},
    "a.mxf": {"codec": "mpeg2video"},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("aspect", [Fraction(32, 27), Fraction(8, 9), Fraction(1)], ids=str)
def test_a_video_plays_with_square_pixels(tmp_path, name, aspect):
    path = tmp_path / name
    write_video(path, frames=4, pixel_aspect=aspect, **CONTAINERS[name])
    source = make_source(str(path))
    info = source.open()
    shown = frames_of(source)
    source.close()
    assert (info.width, info.height) == (round(WIDTH * aspect), HEIGHT)
    assert {frame.shape[:2] for frame in shown} == {(info.height, info.width)}
    right = round(7.5 * 12 * aspect)  # the seventh block stays above its place
    assert shown[0][8:24, :right].mean() < 60


def test_the_container_decides_where_it_says_another_aspect_than_the_frames(tmp_path):
    path = tmp_path / "a.mkv"
    write_video(path, frames=3, codec="ffv1", pix_fmt="bgr0")
    old = b"\xb0\x81\x60\xba\x81\x40\x54\xb2\x81\x04"  # PixelWidth 96, PixelHeight 64, DisplayUnit
    new = b"\xb0\x81\x60\xba\x81\x40\x54\xb0\x81\x48"  # DisplayWidth 72
    raw = path.read_bytes()
    assert raw.count(old) == 1
    path.write_bytes(raw.replace(old, new))
    source = make_source(str(path))
    assert (source.open().width, source.info.height) == (72, HEIGHT)
    assert frames_of(source)[0].shape[:2] == (HEIGHT, 72)
    source.close()


def test_a_turned_video_is_stretched_before_it_is_turned(tmp_path):
    path = tmp_path / "a.mp4"
    write_video(path, frames=2, pixel_aspect=Fraction(4, 3))
    with_matrix(path, (0, 1, -1, 0))
    source = make_source(str(path))
    info = source.open()
    assert (info.width, info.height) == (HEIGHT, 128)
    assert frames_of(source)[0].shape[:2] == (128, HEIGHT)
    source.close()


@pytest.mark.parametrize("left", [2, 8, 16, 32])
def test_columns_that_a_film_cuts_off_are_not_shown(tmp_path, left):
    whole, path = tmp_path / "whole.mp4", tmp_path / "film.mp4"
    write_video(whole, frames=2)
    with av.open(str(whole)) as found, av.open(str(path), "w") as made:
        stream = made.add_stream_from_template(found.streams.video[0])
        cut = BitStreamFilterContext(
            f"h264_metadata=crop_left={left}", found.streams.video[0], stream
        )
        for packet in found.demux(video=0):
            for each in cut.filter(packet):
                each.stream = stream
                made.mux(each)
    source = make_source(str(path))
    info = source.open()
    shown = frames_of(source)[1]
    source.close()
    assert (info.height, info.width) == shown.shape[:2] == (HEIGHT, WIDTH - left)
    assert np.abs(shown.astype(int) - numbered_image(1)[:, left:]).mean() < 6


def test_an_aspect_that_changes_in_a_broadcast_is_followed(tmp_path):
    aspects = (Fraction(8, 9), Fraction(1), Fraction(32, 27))
    joined = b""
    for aspect in aspects:
        part = tmp_path / "part.ts"
        write_video(part, frames=12, codec="mpeg2video", pixel_aspect=aspect)
        joined += part.read_bytes()
    path = tmp_path / "all.ts"
    path.write_bytes(joined)
    source = make_source(str(path))
    source.open()
    widths = [frame.shape[1] for frame in frames_of(source)]
    source.close()
    assert len(widths) == 36
    assert list(dict.fromkeys(widths)) == [85, 96, 114]


@pytest.mark.parametrize(("transfer", "is_pale"), [(16, True), (18, False), (1, False)])
def test_hdr_that_is_shown_without_tone_mapping_is_reported(tmp_path, transfer, is_pale):
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p10le"
        stream.codec_context.color_trc = transfer
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p10le")))
        container.mux(stream.encode(None))
    source = make_source(str(path))
    source.open()
    assert ("HDR" in (source.warning or "")) == is_pale
    source.close()
