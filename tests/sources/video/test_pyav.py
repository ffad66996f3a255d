"""Numbers and names of PyAV 18 and 19 are read alike."""

from fractions import Fraction

import av
import pytest
from av.rational import AVRational
from videos import write_video

from kpviewer.sources.video.file import VideoSource
from kpviewer.sources.video.pyav import exact


@pytest.mark.parametrize(
    ("ratio", "number"),
    [
        (AVRational(1001, 30_000), Fraction(1001, 30_000)),  # PyAV 19
        (Fraction(1, 90_000), Fraction(1, 90_000)),  # PyAV 18
        (AVRational(0, 1), None),
        (AVRational(1, 0), None),
        (AVRational(0, 0), None),
        (None, None),
    ],
)
def test_ratio_is_an_exact_number_if_it_is_set(ratio, number):
    assert exact(ratio) == number
    assert number is None or type(exact(ratio)) is Fraction


def test_tags_need_not_be_utf8(tmp_path):
    path = tmp_path / "clip.mkv"
    write_video(path, frames=3)
    with av.open(str(path)) as found, av.open(str(tmp_path / "tagged.mkv"), "w") as made:
        made.metadata["title"] = "Vin rose"
        stream = made.add_stream_from_template(found.streams.video[0])
        for packet in found.demux(video=0):
            if packet.size:
                packet.stream = stream
                made.mux(packet)
    content = (tmp_path / "tagged.mkv").read_bytes()
    assert content.count(b"Vin rose") == 1
    path.write_bytes(content.replace(b"Vin rose", b"Vin ros\xe9"))  # Latin-1
    source = VideoSource(path)
    try:
        assert source.open().frame_count == 3
    finally:
        source.close()
