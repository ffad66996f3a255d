"""Names in annotations are matched to files, if the match is unambiguous."""

import unicodedata
from pathlib import PurePosixPath as P

import pytest

from kpviewer.annotations.reading.fitting import fit_names

NFC, NFD = (unicodedata.normalize(form, "Bär.jpg") for form in ("NFC", "NFD"))
FILE = "6f2a01bc-cat.jpg"
ROBOFLOW = "cat_1_jpg.rf.0123456789abcdef0123456789abcdef.jpg"


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("a.jpg", "a.jpg"),
        ("my%20cat.jpg", "my cat.jpg"),
        ("my cat.jpg", "my%20cat.jpg"),
        ("K%C3%A4tzchen.jpg", "Kätzchen.jpg"),
        (NFC, NFD),
        (NFD, NFC),
        ("img_1.jpg", "IMG_1.JPG"),
        ("a.jpg", "a.png"),
        ("a.JPEG", "a.jpg"),
        ("a", "a.jpg"),
        ("train/a.jpg", "images/a.jpg"),
        ("C/old/place/a.jpg", "a.jpg"),
        ("a &amp; b.jpg", "a & b.jpg"),
        (FILE, "cat.jpg"),
        (ROBOFLOW, "cat_1.jpg"),
        ("COCO_val2014_000000000042.jpg", "000000000042.jpg"),
        ("42.jpg", "000042.jpg"),
        ("my_cat.jpg", "my cat.jpg"),
        ("my%2520cat.jpg", "my cat.jpg"),
        ("a.jpg?version=2", "a.jpg"),
        ("a.jpg ", "a.jpg"),
        ("Train/My%20Cat.PNG", "images/my cat.jpg"),
    ],
)
def test_a_name_matches_its_file(wanted, there):
    assert fit_names([P(wanted)], [P("other.jpg"), P(there)]) == {0: 1}


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("a.jpg", ["b.jpg"]),
        ("a.jpg", ["x/a.jpg", "y/a.jpg"]),
        ("my%20cat.jpg", ["My Cat.jpg", "MY CAT.jpg"]),
        ("a.jpg", ["a.png", "a.bmp"]),
        ("cat.jpg", ["cat2.jpg"]),
        ("10.jpg", ["100.jpg"]),
    ],
)
def test_an_ambiguous_or_unknown_name_matches_no_file(wanted, there):
    assert fit_names([P(wanted)], [P(name) for name in there]) == {}


def test_exact_spellings_go_first():
    wanted = [P("A.jpg"), P("a.jpg"), P("b.jpg")]
    assert fit_names(wanted, [P("a.jpg"), P("A.jpg"), P("B.jpg")]) == {0: 1, 1: 0, 2: 2}


def test_folders_distinguish_files_of_one_name():
    wanted = [P("set/x/a.jpg"), P("set/y/a.jpg"), P("set/z/a.jpg")]
    assert fit_names(wanted, [P("/d/y/a.jpg"), P("/d/x/a.jpg")]) == {0: 1, 1: 0}


def test_many_names_are_matched_in_linear_time():
    count = 30_000  # comparing each with each would take minutes
    wanted = [P(f"set/{n % 97}/img%20{n}.jpg") for n in range(count)]
    there = [P(f"/data/{n % 97}/IMG {n}.jpg") for n in range(count)]
    assert fit_names(wanted, there) == {n: n for n in range(count)}
