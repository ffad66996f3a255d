"""Who wrote a pickle, by the names in it, of files that are whole, damaged or encrypted."""

import zipfile
from pathlib import Path

import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.opening.whole_models import refuse_whole_model

PICKLE = b"\x80\x02cultralytics.nn.tasks\nDetectionModel\n." * 20


def archive(path: Path, method: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("best/data.pkl", PICKLE)
    return path.read_bytes()


def test_a_whole_model_is_refused_with_its_export(tmp_path):
    archive(tmp_path / "best.pt")
    with pytest.raises(WeightsError, match=r"yolo export model=best\.pt"):
        refuse_whole_model(tmp_path / "best.pt")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_no_damaged_byte_raises_anything_else(tmp_path, method):
    path = tmp_path / "best.pt"
    content = archive(path, method)
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            refuse_whole_model(path)
        except WeightsError:
            continue


def test_an_encrypted_archive_is_left_to_other_readers(tmp_path):
    path = tmp_path / "best.pt"
    content = bytearray(archive(path))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    refuse_whole_model(path)
