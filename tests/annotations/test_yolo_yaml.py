"""data.yaml as people and programs write it; expected values from the rules of YAML 1.1."""

import pytest

from kpviewer.annotations.yolo_yaml import read_yolo_yaml
from kpviewer.errors import DatasetError
from kpviewer.recording.formats import ResultHeader
from kpviewer.recording.label_formats import YoloLabels


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "data.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('names: ["\\u732b", "K\\u00e4tzchen"]', ("猫", "Kätzchen")),
        ('names: ["\\ud83d\\ude00"]', ("😀",)),  # as JSON writes what lies beyond 16 bits
        ("names: ['cat''s']", ("cat's",)),
        ("names: {'0': cat, \"1\": dog}", ("cat", "dog")),
        ("names: {cat: 0, dog: 1}", ("cat", "dog")),
        ("names: [no, 1.0, 2024-05-01, null]", ("no", "1.0", "2024-05-01", "null")),
        ("names: &all [a]\nother: *all", ("a",)),
        ("names:\n\t- cat\n\t- dog\n", ("cat", "dog")),
        ("names:\t[cat]", ("cat",)),
        ("---\nnames: [a]\r\nnc: 1\r\n", ("a",)),
        ("names: [a]\rnc: 1", ("a",)),
        ("\ufeffnames: [cat]", ("cat",)),
        ("\ufeffnames: [猫]".encode("utf-16"), ("猫",)),
        ("class_names: [a, b]", ("a", "b")),
        ("download: |\n  import os\n  names: none\nnames: [a]", ("a",)),
        ("names:\nnc: 0", ()),
    ],
)
def test_names_are_unchanged(written, text, names):
    assert read_yolo_yaml(written(text)).class_names == names


def test_the_name_of_a_file_is_replaced_by_its_lines(written, tmp_path):
    (tmp_path / "obj.names").write_text("cat\ndog\n")
    assert read_yolo_yaml(written("names: data/obj.names")).class_names == ("cat", "dog")


def test_folders_of_splits_are_read(written):
    text = "path: ../pets\ntrain: [a, b]\nval: /abs/val.txt\ntest:\nnames: [x]"
    read = read_yolo_yaml(written(text))
    assert (read.root, read.split_paths) == (
        "../pets",
        {"train": ("a", "b"), "val": ("/abs/val.txt",)},
    )


@pytest.mark.parametrize("key", ["val", "valid", "validation"])
def test_the_split_val_has_three_names(written, key):
    assert read_yolo_yaml(written(f"{key}: a\nnames: [x]")).split_paths == {"val": ("a",)}


def test_another_count_of_classes_is_noted(written):
    assert read_yolo_yaml(written("nc: 3\nnames: [a]")).notes == (
        "data.yaml says nc: 3, but lists 1 names",
    )


@pytest.mark.parametrize(
    "text",
    [
        "names: !!python/object/apply:os.system ['touch x']",
        "x: !!python/name:os.system\nnames: [a]",
        "names: !Ref x",
        "names: [a]\nnames: [b]",
        "names: [a",
        "names: cat",
        "[a, b]",
        "a: 1\n---\nb: 2",
        "names: [a, '']",
        "kpt_shape: [9999999, 3]",
        "kpt_shape: [3, 4]",
        "kpt_shape: 3",
        "n\0: [a]",
        "names: K\xe4".encode("latin-1"),
    ],
)
def test_unsupported_yaml_is_refused_in_one_line(written, text):
    with pytest.raises(DatasetError, match=r"data\.yaml") as caught:
        read_yolo_yaml(written(text))
    assert "\n" not in str(caught.value)


def bomb(letter, item):
    """Nine levels of nine aliases each: 9**9 leaves in 400 bytes."""
    lines = [item]
    for row in range(9):
        inside = ",".join([f"*{chr(97 + row)}"] * 9)
        lines.append(f"{chr(98 + row)}: &{chr(98 + row)} " + letter.format(inside))
    return "\n".join([*lines, "names: *j"])


@pytest.mark.parametrize(
    "text",
    [
        'names: ["' + '\\"' * 500_000 + ", x]\n",
        "names: " + "[" * 1_000_000,
        "names: " + "{a: " * 250_000,
        "names:\n" + "- " * 500_000,
        "names:\n" + "? " * 500_000,
        "names: [" + "a," * 900_000,
        "x: &a [a]\nnames: [" + "*a," * 300_000,
        "names: " + '"' * 1_000_000,
        "%a\n" * 300_000,
        "---\n" * 450_000,
        bomb("[{}]", "a: &a [x]"),
        bomb("{{<<: [{}]}}", "a: &a {x: y}"),
        "a" * 3 * 2**20,
    ],
    ids=["quotes", "lists", "mappings", "dashes", "marks", "many", "aliases", "empty", "directives",
         "documents", "bomb", "merged bomb", "size"],
)  # fmt: skip
def test_yaml_made_to_be_slow_is_refused_quickly(written, text):
    with pytest.raises(DatasetError, match=r"data\.yaml"):  # 0.3 s; hours if quadratic
        read_yolo_yaml(written(text))


@pytest.mark.parametrize(
    "name",
    ["狗", "Kätzchen", "😀", "cat's", 'a "b" \\ c', "a: b # c", "no", "\u200dx", "\x7fx", "[a"],
)
def test_names_that_are_exported_are_read_again(written, name):
    header = ResultHeader(class_names=("x", name), keypoint_names=(name, "y"), source="")
    read = read_yolo_yaml(written(YoloLabels(header).extra_files()["data.yaml"]))
    assert read.class_names == ("x", name)
    assert read.keypoint_names == (name, "y")
