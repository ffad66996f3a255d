"""Annotations: one file of a data set, or one of its parts, is damaged."""

import io
import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzz_readers.damage import damaged_bytes, damaged_text, damaged_value, json_text
from benchmarks.fuzz_readers.reader import Reader, Write

LABELS_COCO: dict[str, Any] = {
    "info": {"year": 2026},
    "images": [
        {"id": 7, "file_name": "a.png", "width": 40, "height": 30, "source": "s", "frame": 0},
        {"id": "8", "file_name": "images/b.png", "width": 40, "height": 30},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 30, 20.5], "iscrowd": 0,
         "keypoints": [3, 4, 2, 5, 6, 1, 0, 0, 0], "segmentation": [[1, 2, 3, 4, 5, 6]]},
        {"id": 2, "image_id": "8", "category_id": 1, "bbox": ["1", "2", 3, 4], "pseudo": 1},
    ],
    "categories": [
        {"id": 0, "name": "pets", "supercategory": "none"},
        {"id": 3, "name": "cat", "supercategory": "pets", "keypoints": ["l", "r", "n"],
         "skeleton": [[1, 2], [2, 3]]},
        {"id": 1, "name": "dog", "supercategory": "pets"},
    ],
}  # fmt: skip
LABELS_VOC = """\
<?xml version="1.0" encoding="utf-8"?>
<annotation>
  <folder>x</folder><filename>a.png</filename><path>C:\\x\\a.png</path>
  <source><database>Own</database></source>
  <size><width>40</width><height>30</height><depth>3</depth></size>
  <object><name>cat</name><difficult>0</difficult>
    <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>20.5</ymax></bndbox></object>
  <object><name>dog</name><difficult>1</difficult>
    <bndbox><xmin>5</xmin><ymin>6</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>
</annotation>
"""
LABELS_YOLO = """\
0 0.5 0.5 0.5 0.5 0.25 0.5 2 0.75 0.5 1 0 0 0
# by hand
1 0.5 0.5 0.2 0.2
cat 0,5 0,5 0,1 0,1
1.0 0.1 0.2 0.6 0.3 0.5 0.9
"""
LABELS_YAML = """\
path: ../pets  # of another machine
train: ../train/images
val: [images/val, val.txt]
nc: 2
kpt_shape: [3, 3]
names:
  0: "K\\u00e4tzchen"
  1: 'dog''s'
kpt_names:
  0:
    - left
    - right
    - nose
x: &x [a, b]
y: *x
"""
LABELS_CSV = """\
filename,width,height,class,xmin,ymin,xmax,ymax,difficult,eye_x,eye_y,frame,pose
a.png,40,30,cat,1,2,30,20.5,0,5,6,0,left
b.png,40,30,,,,,,,,,1,
"a.png",40,30,"dog, old",10,5,30.5,20,1,,,,
"""
LABELS_POINTS = "file,x,y,split\na.png,10.5,9,train\nb.png,3,4,val\n"
LABELS_OF_IMAGES = "fname,labels,is_valid\na.png,horse person,True\nb.png,car,False\n"
LABELS_CELEBA = """\
2
lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x \
rightmouth_y
a.png  69 109 106 113 77 142 73 152 108 154
b.png  69 110 107 112 81 135 70 151 108 153
"""
BOXES_CELEBA = """\
2
image_id x_1 y_1 width height
a.png    5  4  20  21
b.png    1  2   9  10
"""
CALIBRATION_BIWI = """\
517.679 0 320
0 517.679 240.5
0 0 1

0 0 0 0

0.999947 0.00432361 0.00929419
-0.00446314 0.999877 0.0150443
-0.009228 -0.015085 0.999844

-24.0198 5.8896 -13.2308

40 30
"""
POSE_BIWI = """\
0.980639 0.109899 0.162077
-0.11023 0.993882 -0.00697376
-0.161851 -0.011027 0.986754

43.4019 -30.7038 906.864
"""
LABELS_PTS = """\
version: 1
n_points: 3
{
10.5 12
20 8.25
25 19
}
"""


@cache
def _tiny_image() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (40, 30)).save(file, "PNG")
    return file.getvalue()


def _write_set(folder: Path, files: dict[str, bytes], images: tuple[str, ...]) -> None:
    for name, data in files.items() | {image: _tiny_image() for image in images}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _write_text(text: str, name: str) -> Write:
    """Return a function that writes a damaged text beside intact images."""

    def write(folder: Path, random: Random) -> Path:
        data = damaged_text(text, random)
        if random.random() < 0.1:
            data = data.decode("utf-8", "replace").encode(random.choice(["utf-16", "utf-8-sig"]))
        _write_set(folder, {name: data}, ("a.png", "b.png"))
        return folder / name

    return write


def write_coco(folder: Path, random: Random) -> Path:
    """Write a COCO file with one wrong value, or damaged bytes."""
    if random.random() < 0.7:
        data = json_text(damaged_value(LABELS_COCO, random)).encode("utf-8", "surrogatepass")
    else:
        data = damaged_bytes(json.dumps(LABELS_COCO).encode(), random)
    _write_set(folder, {"labels.json": data}, ("a.png", "images/b.png"))
    return folder / "labels.json"


def _write_celeba_wild(folder: Path, random: Random) -> Path:
    """Write CelebA's tables of the images in the wild, one of them damaged."""
    texts = {"list_bbox_celeba.txt": BOXES_CELEBA, "list_landmarks_celeba.txt": LABELS_CELEBA}
    files = {name: text.encode() for name, text in texts.items()}
    wrong = random.choice([*texts])
    files[wrong] = damaged_text(texts[wrong], random)
    _write_set(folder, files, ("img_celeba/a.png", "img_celeba/b.png"))
    return folder / wrong


def _write_biwi(folder: Path, random: Random) -> Path:
    """Write two sequences of BIWI, with a damaged calibration or pose."""
    texts = {
        f"{sequence}/{name}": text
        for sequence in ("01", "02")
        for name, text in (("rgb.cal", CALIBRATION_BIWI), ("frame_00003_pose.txt", POSE_BIWI))
    }
    files = {name: text.encode() for name, text in texts.items()}
    wrong = random.choice(["01/rgb.cal", "01/frame_00003_pose.txt"])
    files[wrong] = damaged_text(texts[wrong], random)
    _write_set(folder, files, ("01/frame_00003_rgb.png",))
    return folder / "rgb.cal"  # its folder is the set


def _write_yolo(labels: bool) -> Write:
    """Return a function that writes a YOLO set with damaged labels or YAML."""

    def write(folder: Path, random: Random) -> Path:
        texts = {"labels/a.txt": LABELS_YOLO, "data.yaml": LABELS_YAML}
        wrong = "labels/a.txt" if labels else "data.yaml"
        files = {name: text.encode() for name, text in texts.items()}
        files[wrong] = damaged_text(texts[wrong], random)
        _write_set(folder, files, ("images/a.png",))
        return folder

    return write


def _of_set(form: str, write: Write) -> Reader:
    """Return the reader of a specification, with the path and the folder that ``write`` makes."""

    def read(path: Path) -> None:
        from kpviewer.annotations.ground_truth import AnnotationGroundTruth
        from kpviewer.annotations.spec import read_annotations, read_usable
        from kpviewer.errors import DatasetError

        spec = form.format(path, folder=path.parent)
        with suppress(DatasetError):
            read_annotations(spec)
        ground_truth = AnnotationGroundTruth(read_usable(spec))
        ground_truth.set_source_files([path.parent / "a.png"])
        ground_truth.for_frame(0, str(path.parent / "a.png"))

    return Reader(write, read)


READERS = {
    "coco": _of_set("coco:{}", write_coco),
    "voc": _of_set("voc:{folder}", _write_text(LABELS_VOC, "a.xml")),
    "yolo-labels": _of_set("yolo:{}", _write_yolo(labels=True)),
    "yolo-yaml": _of_set("yolo:{}", _write_yolo(labels=False)),
    "csv": _of_set("csv:{}", _write_text(LABELS_CSV, "boxes.csv")),
    "points": _of_set("points:{}", _write_text(LABELS_POINTS, "points.csv")),
    "celeba": _of_set(
        "celeba:{folder}", _write_text(LABELS_CELEBA, "list_landmarks_align_celeba.txt")
    ),
    "celeba-wild": _of_set("celeba-wild:{folder}", _write_celeba_wild),
    "labels": _of_set("labels:{}:train", _write_text(LABELS_OF_IMAGES, "labels.csv")),
    "biwi": _of_set("biwi:{folder}:-02", _write_biwi),
    "pts": _of_set("pts:{folder}", _write_text(LABELS_PTS, "a.pts")),
}
