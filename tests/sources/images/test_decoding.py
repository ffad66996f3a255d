"""Images are decoded as Pillow shows them in every format, and as their headers state."""

import io
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from image_makers import ORIENTATIONS, QUADRANTS, laid_down, saved, with_late_chunk
from PIL import Image, ImageOps

from kpviewer.annotations.checks import header_size_wh
from kpviewer.annotations.reading.values import size_of_image
from kpviewer.image_files import ImageFileError, read_image_header
from kpviewer.sources.images import decoding as image_decoding
from kpviewer.sources.images.decoding import ImageDecoder
from kpviewer.sources.images.source import load_image
from kpviewer.structures import ImageArray

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><d tiff:Orientation="%d"/></x:xmpmeta>'


def exif(orientation: int, *, prefix: bool = True, order: str = "MM") -> bytes:
    """Return EXIF data with an orientation alone, in either byte order."""
    sign = ">" if order == "MM" else "<"
    directory = struct.pack(f"{sign}HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    start = order.encode() + struct.pack(f"{sign}HI", 42, 8)
    return (b"Exif\0\0" if prefix else b"") + start + directory


Make = Callable[[Path, int], object]


def jpeg(path: Path, orientation: int, **how: object) -> None:
    saved(laid_down(orientation), path, "JPEG", quality=95, exif=exif(orientation), **how)


def mpo(path: Path, orientation: int) -> None:
    stored = laid_down(orientation)
    more = [stored.resize((8, 8))]
    saved(stored, path, "MPO", save_all=True, append_images=more, exif=exif(orientation))


def png_late(path: Path, orientation: int) -> None:
    saved(laid_down(orientation), path, "PNG")
    with_late_chunk(path, b"eXIf", exif(orientation, prefix=False))


def png_late_text(path: Path, orientation: int) -> None:
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + XMP % orientation
    saved(laid_down(orientation), path, "PNG")
    with_late_chunk(path, b"iTXt", text)


def png_raw_profile(path: Path, orientation: int) -> None:
    data = exif(orientation)
    rows = f"\nexif\n{len(data)}\n{data.hex()}\n".encode()
    saved(laid_down(orientation), path, "PNG")
    with_late_chunk(path, b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(rows))


def tiff(path: Path, orientation: int, mode: str = "RGB", **how: object) -> None:
    stored = laid_down(orientation).convert(mode)
    saved(stored, path, "TIFF", tiffinfo={274: orientation}, **how)


MAKERS: dict[str, Make] = {
    "a.jpg": jpeg,
    "progressive.jpg": lambda path, o: jpeg(path, o, progressive=True),
    "intel.jfif": lambda path, o: saved(
        laid_down(o), path, "JPEG", quality=95, exif=exif(o, order="II")
    ),
    "xmp.jpe": lambda path, o: saved(laid_down(o), path, "JPEG", quality=95, xmp=XMP % o),
    "grey.jpg": lambda path, o: saved(laid_down(o).convert("L"), path, "JPEG", exif=exif(o)),
    "cmyk.jpg": lambda path, o: saved(laid_down(o).convert("CMYK"), path, "JPEG", exif=exif(o)),
    "phone.jpg": mpo,
    "a.png": lambda path, o: saved(laid_down(o), path, "PNG", exif=exif(o)),
    "late.png": png_late,
    "late_text.png": png_late_text,
    "raw_profile.png": png_raw_profile,
    "palette.png": lambda path, o: saved(laid_down(o).quantize(8), path, "PNG", exif=exif(o)),
    "alpha.png": lambda path, o: saved(laid_down(o).convert("RGBA"), path, "PNG", exif=exif(o)),
    "a.tif": tiff,
    "lzw.tiff": lambda path, o: tiff(path, o, compression="tiff_lzw"),
    "jpeg.tif": lambda path, o: tiff(path, o, compression="jpeg"),
    "grey.tif": lambda path, o: tiff(path, o, "L"),
    "fax.tif": lambda path, o: tiff(path, o, "1", compression="group4"),
    "cmyk.tif": lambda path, o: tiff(path, o, "CMYK"),
    "big.tif": lambda path, o: tiff(path, o, big_tiff=True),
    "a.webp": lambda path, o: saved(laid_down(o), path, "WEBP", lossless=True, exif=exif(o)),
    "bare.webp": lambda path, o: saved(
        laid_down(o), path, "WEBP", lossless=True, exif=exif(o, prefix=False)
    ),
    "a.avif": lambda path, o: saved(laid_down(o), path, "AVIF", quality=95, exif=exif(o)),
    "wrong.png": jpeg,
    "wrong.jpg": lambda path, o: saved(laid_down(o), path, "AVIF", quality=95, exif=exif(o)),
}


def as_pillow_shows(path: Path) -> ImageArray:
    # From memory: Pillow forgets the turn of a file that it maps (TIFF, 8-bit grey, uncompressed).
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        shown = ImageOps.exif_transpose(image).convert("RGB")
    return np.asarray(shown, np.uint8)[..., ::-1]


@pytest.mark.parametrize("name", MAKERS)
def test_an_image_is_shown_as_pillow_transposes_it(tmp_path, name):
    for orientation in ORIENTATIONS:
        path = tmp_path / f"{orientation}_{name}"
        MAKERS[name](path, orientation)
        shown, expected = load_image(path), as_pillow_shows(path)
        assert shown is not None, orientation
        assert shown.shape == expected.shape, orientation
        assert np.abs(shown.astype(int) - expected).max() <= 1, orientation


@pytest.mark.parametrize("name", MAKERS)
def test_all_readers_use_the_displayed_size(tmp_path, name):
    for orientation in ORIENTATIONS:
        path = tmp_path / f"{orientation}_{name}"
        MAKERS[name](path, orientation)
        assert header_size_wh(path) == QUADRANTS.size, orientation
        assert size_of_image(path, "labels.txt") == QUADRANTS.size, orientation
        shown = load_image(path)
        assert shown is not None
        assert shown.shape[1::-1] == QUADRANTS.size, orientation
        # red, green / blue, yellow: the corners as they were before being laid down
        corners = [shown[y, x].argmax() for y, x in ((2, 2), (2, -3), (-3, 2))]
        assert name.startswith(("grey", "fax")) or corners == [2, 1, 0], orientation


@pytest.mark.parametrize("value", [0, 9, 255, 65535])
def test_an_invalid_orientation_is_ignored(tmp_path, value):
    path = tmp_path / "a.jpg"
    saved(QUADRANTS, path, "JPEG", exif=exif(value))
    assert read_image_header(path).size_wh == QUADRANTS.size
    assert np.array_equal(load_image(path), as_pillow_shows(path))


def test_damaged_metadata_are_ignored(tmp_path):
    path = tmp_path / "a.jpg"
    saved(QUADRANTS, path, "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff" + bytes(6))
    assert read_image_header(path).size_wh == QUADRANTS.size
    assert load_image(path) is not None


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp", "a.avif"])
def test_transparency_is_ignored_alike_in_every_format(tmp_path, name):
    Image.new("RGBA", (16, 8), (10, 240, 30, 128)).save(tmp_path / name)
    bgr = load_image(tmp_path / name)
    assert bgr is not None
    assert np.abs(bgr.astype(int) - (30, 240, 10)).max() <= 4


def test_more_than_eight_bits_are_scaled_not_cut(tmp_path):
    ramp = np.arange(0, 65536, 256, np.uint16).reshape(16, 16)
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(ramp).save(tmp_path / name)
        shown = load_image(tmp_path / name)
        assert shown is not None
        assert np.abs(shown[..., 0].astype(int) - (ramp >> 8)).max() <= 1, name


def test_twelve_bits_are_scaled(tmp_path):
    path, values = tmp_path / "scan.tif", [0, 819, 2048, 4095]
    pixels = sum(value << 12 * (3 - place) for place, value in enumerate(values)).to_bytes(6, "big")
    tags = {256: 4, 257: 1, 258: 12, 259: 1, 262: 1, 273: 122, 277: 1, 278: 1, 279: 6}
    entries = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags.items())
    directory = struct.pack("<4sIH", b"II*\0", 8, len(tags)) + entries
    path.write_bytes(directory.ljust(122, b"\0") + pixels + b"\0" * 64)
    shown = load_image(path)
    assert shown is not None
    assert np.abs(shown[0, :, 0].astype(int) - np.array(values) // 16).max() <= 1


@pytest.mark.parametrize(
    ("lab", "rgb"),  # of a ColorChecker, by the formulas of CIE 15 and IEC 61966-2-1
    [
        ((97, 14, 14), (116, 81, 68)),
        ((127, -5, -22), (90, 122, 156)),
        ((110, -13, 22), (90, 108, 64)),
    ],
)
def test_cielab_is_shown_in_srgb(tmp_path, lab, rgb):
    stored = bytes(value % 256 for value in lab) * 64
    Image.frombytes("LAB", (8, 8), stored).save(tmp_path / "scan.tif")
    shown = load_image(tmp_path / "scan.tif")
    assert shown is not None
    assert np.abs(shown[4, 4, ::-1].astype(int) - rgb).max() <= 4


@pytest.mark.parametrize("largest", [31, 100, 255, 1023, 65535])
@pytest.mark.parametrize("kind", ["P5", "P6"])
def test_the_largest_value_of_a_ppm_is_white(tmp_path, kind, largest):
    channels = 3 if kind == "P6" else 1
    values = np.full(4 * 2 * channels, largest)
    values[: values.size // 2] = largest // 2
    path = tmp_path / "a.ppm"
    data = values.astype(">u2" if largest > 255 else "u1").tobytes()
    path.write_bytes(f"{kind} 4 2 {largest}\n".encode() + data)
    bgr = load_image(path)
    assert bgr is not None
    assert (bgr[1] == 255).all()
    assert np.abs(bgr[0].astype(int) - 255 * (largest // 2) / largest).max() <= 1


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_every_image_opens_from_a_folder_whose_name_is_not_utf8(tmp_path):
    folder = tmp_path / os.fsdecode(b"old \xff disk")
    folder.mkdir()
    stack = [Image.new("RGB", (8, 8), (grey,) * 3) for grey in (50, 100, 150)]
    saved(stack[0], folder / "stack.tif", "TIFF", save_all=True, append_images=stack[1:])
    decoder = ImageDecoder()
    for page, grey in enumerate((50, 100, 150)):
        assert decoder.decode(folder / "stack.tif", page)[0, 0, 0] == grey
    for name in ("a.png", "a.jpg", "a.webp", "a.bmp"):
        stack[1].save(folder / name)
        assert abs(int(decoder.decode(folder / name)[0, 0, 0]) - 100) < 3


def test_a_tiff_of_real_numbers_is_not_called_damaged_alone(tmp_path):
    path = tmp_path / "depth.tif"
    image_decoding.cv2.imwrite(str(path), np.zeros((4, 4), np.float64))
    with pytest.raises(ImageFileError, match="a kind that can't be shown"):
        ImageDecoder().decode(path)


@pytest.mark.parametrize("name", ["a.gif", "a.bmp", "a.jp2", "a.ppm", "a.dib", "grey.pgm", "a.pbm"])
def test_formats_that_know_no_orientation_are_shown(tmp_path, name):
    path = tmp_path / name
    mode = {"grey.pgm": "L", "a.pbm": "1", "a.gif": "P"}.get(name, "RGB")
    kind = {".jp2": "JPEG2000", ".gif": "GIF", ".bmp": "BMP", ".dib": "DIB"}
    saved(QUADRANTS.convert(mode), path, kind.get(path.suffix, "PPM"))
    shown = load_image(path)
    assert shown is not None
    assert np.abs(shown.astype(int) - as_pillow_shows(path)).max() <= 1
    assert read_image_header(path).size_wh == QUADRANTS.size


def test_pillow_decodes_what_opencv_cannot(tmp_path, monkeypatch):
    monkeypatch.setattr(image_decoding, "_by_opencv", lambda _file, _header: None)
    monkeypatch.setattr(image_decoding.cv2, "imreadmulti", lambda *_args, **_how: (False, ()))
    for name in ("a.jpg", "late.png", "a.tif", "bare.webp", "phone.jpg"):
        for orientation in ORIENTATIONS:
            path = tmp_path / f"{orientation}_{name}"
            MAKERS[name](path, orientation)
            assert np.array_equal(load_image(path), as_pillow_shows(path)), (name, orientation)


def damaged(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "a.jpg"
    saved(Image.effect_noise((300, 200), 90).convert("RGB"), path, "JPEG", quality=95)
    data = path.read_bytes()
    if kind == "pipe":
        path.unlink()
        os.mkfifo(path)
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes({"cut": data[:-9000], "empty": b"", "text": b"not an image"}[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("cut", "is damaged or cut off"),
        ("empty", "is empty"),
        ("text", "not an image of a known format"),
        ("pipe", "is not a regular file"),
        ("folder", "is not a regular file"),
    ],
)
def test_an_error_explains_why_a_file_cannot_be_shown(tmp_path, kind, why):
    path = damaged(tmp_path, kind)
    with pytest.raises(ImageFileError, match=why):
        ImageDecoder().decode(path)
    assert load_image(path) is None


@pytest.mark.parametrize("kind", ["WebP", "AVIF", "JPEG", "TIFF"])
def test_a_download_that_was_cut_off_is_not_called_an_unknown_format(tmp_path, kind):
    path = tmp_path / "a.jpg"
    saved(QUADRANTS, path, kind, **({"compression": "tiff_lzw"} if kind == "TIFF" else {}))
    path.write_bytes(path.read_bytes()[: 300 if kind == "JPEG" else 60])
    with pytest.raises(ImageFileError, match=f"^is damaged or cut off, or a kind of {kind} that"):
        ImageDecoder().decode(path)


def test_a_photograph_of_a_phone_that_is_called_jpg_is_named_as_heic(tmp_path):
    path = tmp_path / "IMG_0007.jpg"
    path.write_bytes(b"\0\0\0\x24ftypheic\0\0\0\0mif1heic" + bytes(200))
    with pytest.raises(ImageFileError, match=r"^is a HEIC image, which can't be shown$"):
        ImageDecoder().decode(path)


def test_a_chunk_that_claims_gigabytes_allocates_none(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    saved(QUADRANTS, path, "PNG")
    png = bytearray(path.read_bytes())
    png[33:37] = (2**32 - 9).to_bytes(4, "big")  # length of the chunk behind the header
    path.write_bytes(png)
    asked: list[int] = []
    monkeypatch.setattr(image_decoding.cv2, "imdecode", lambda *_args: asked.append(1))
    assert np.array_equal(load_image(path), np.asarray(QUADRANTS)[..., ::-1])  # by Pillow
    assert asked == []


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "a.jpg"
    saved(QUADRANTS, path, "JPEG")
    with path.open("r+b") as file:
        file.truncate(3 * 2**30)  # sparse: it takes no room on the disk
    with pytest.raises(ImageFileError, match="larger than 600 MB"):
        ImageDecoder().decode(path)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_more_pixels_than_can_be_shown_are_refused_by_the_header(tmp_path, kind):
    path = tmp_path / "wide.png"
    saved(Image.new("L", (8193, 1)), path, kind)
    with pytest.raises(ImageFileError, match="8193x1 px; at most 8192"):
        ImageDecoder().decode(path)
    claim = io.BytesIO(b"P5 60000 60000 255\n" + bytes(64))
    path.write_bytes(claim.getvalue())
    with pytest.raises(ImageFileError, match=r"far too large|60000x60000"):
        ImageDecoder().decode(path)


@pytest.mark.parametrize(("share", "is_shown"), [(0.5, False), (0.95, False), (1.0, True)])
def test_a_jpeg_that_ends_in_zeros_is_cut_unless_it_is_whole_before_them(tmp_path, share, is_shown):
    path = tmp_path / "a.jpg"
    Image.effect_noise((400, 300), 60).convert("RGB").save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)] + bytes(50_000))
    assert (load_image(path) is not None) == is_shown
