import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpviewer.annotations.formats.tables.objects import read_csv
from kpviewer.errors import DatasetError

TABLE = """filename,width,height,class,xmin,ymin,xmax,ymax,difficult,eye_x,eye_y,ear_x,ear_y,frame
a.jpg,100,80,dog,1,2,30,40,0,5,6,,,0
b.jpg,50,60,,,,,,,,,,,1
a.jpg,100,80,cat,10,20,30.5,40,1,7,8,9,10,
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "table.csv"
        path.write_text(text)
        return path

    return write


def test_rows_of_an_image_are_its_objects(written, tmp_path):
    read = read_csv(written(TABLE))
    first, second = read.images
    assert (first.path, first.size_wh, first.frame_index) == (tmp_path / "a.jpg", (100, 80), 0)
    assert first.targets.xyxy.tolist() == [[1, 2, 30, 40], [10, 20, 30.5, 40]]
    assert read.class_names == ("cat", "dog")
    assert first.targets.class_ids.tolist() == [1, 0]
    assert first.targets.difficult.tolist() == [False, True]
    assert (len(second.targets), second.frame_index) == (0, 1)


def test_columns_of_keypoints_are_found_by_name(written):
    read = read_csv(written(TABLE))
    assert read.keypoint_names == ("eye", "ear")
    targets = read.images[0].targets
    assert targets.keypoints_xy.tolist() == [[[5, 6], [0, 0]], [[7, 8], [9, 10]]]
    assert targets.keypoints_visible.tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize("column", ["difficult", "iscrowd", "IsGroupOf"])
def test_a_flag_that_became_a_decimal_beside_blank_cells_is_set(written, column):
    head = f"file;xmin;ymin;xmax;ymax;{column}\n"
    cells = ("1", "1.0", "1,0", "True", "0.0", "", "nan")
    rows = (f"a.jpg;{at};2;30;40;{cell}" for at, cell in enumerate(cells))
    read = read_csv(written(head + "\n".join(rows)))
    assert read.images[0].targets.difficult.tolist() == [True] * 4 + [False] * 3


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("file", "frame"),
        ("file", "frame_in_file"),
        ("video", "frame_number"),
        ("Video", "Frame no."),
    ],
)
def test_rows_of_a_video_are_objects_of_their_frames(written, file, column):
    head = f"{file},{column},xmin,ymin,xmax,ymax\n"
    rows = ("clip.mp4,0,1,2,30,40", "clip.mp4,7,5,6,9,9", "clip.mp4,0.0,3,4,5,6", "clip.mp4,8,,,,")
    read = read_csv(written(head + "\n".join(rows)))
    assert [(each.frame_index, len(each.targets)) for each in read.images] == [
        (0, 2),
        (7, 1),
        (8, 0),
    ]


@pytest.mark.parametrize("unknown", ["0,0", "-1,-1", "-1.0,-1.0", "nan,NaN", "NA,NA", "null,None"])
def test_points_of_unknown_place_are_known_in_the_ways_of_other_tools(written, unknown):
    head = "file,xmin,ymin,xmax,ymax,eye_x,eye_y,ear_x,ear_y\n"
    read = read_csv(written(f"{head}a.jpg,1,2,30,40,5,6,{unknown}\n"))
    assert read.images[0].targets.keypoints_visible.tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("end", "flags", "visible", "labelled"),
    [
        ("v", ("2", "1", "0", ""), [1, 0, 0, 1], [1, 1, 0, 1]),
        ("visible", ("True", "false", "1", "1.0"), [1, 0, 1, 1], [1, 0, 1, 1]),
        ("vis", ("1", "0", "-1", "1"), [1, 0, 0, 1], [1, 0, 0, 1]),
    ],
)
def test_visibility_of_keypoints_is_that_of_coco_or_yes_and_no(
    written, end, flags, visible, labelled
):
    head = f"file,xmin,ymin,xmax,ymax,eye_x,eye_y,eye_{end}\n"
    rows = "\n".join(f"a.jpg,{at},2,30,40,5,6,{flag}" for at, flag in enumerate(flags))
    (image,) = read_csv(written(head + rows)).images
    assert image.targets.keypoints_visible[:, 0].tolist() == visible
    assert image.keypoints_labelled[:, 0].tolist() == labelled


def test_a_score_in_place_of_visibility_is_reported(written):
    text = "file,xmin,ymin,xmax,ymax,eye_x,eye_y,eye_v\na.jpg,1,2,30,40,5,6,0.9\n"
    with pytest.raises(DatasetError, match="Is it a score"):
        read_csv(written(text))


def test_separators_at_the_end_of_a_row_are_no_cells(written):
    text = "file,xmin,ymin,xmax,ymax\na.jpg,1,2,3,4,,\n"
    assert len(read_csv(written(text)).images[0].targets) == 1


def test_a_row_of_nan_is_an_image_without_objects(written):
    text = "file,xmin,ymin,xmax,ymax\na.jpg,nan,nan,nan,nan\nb.jpg,1,2,3,4\n"
    assert [len(image.targets) for image in read_csv(written(text)).images] == [0, 1]


def test_box_alone_is_enough(written):
    read = read_csv(written("file,xmin,ymin,xmax,ymax\na.jpg,1,2,3,4\n"))
    assert read.class_names == ("object",)
    assert read.images[0].size_wh == (0, 0)


def test_boxes_without_area_are_left_out_and_counted(written):
    read = read_csv(written("file,xmin,ymin,xmax,ymax\na.jpg,1,2,1,4\n"))
    assert len(read.images[0].targets) == 0
    assert read.notes == ("1 objects left out: boxes without area",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns"),
        ("file,x,y\na.jpg,1,2\n", "columns"),
        ("track,frame_idx,nose.x,nose.y\n,0,1,2\n", "SLEAP"),
        ("PK\x03\x04\0\0", "spreadsheet"),
        ("f\0i\0l\0e\0,\0", "binary data. Save it as CSV in UTF-8"),
        ("scorer,me,me\nbodyparts,nose,nose\ncoords,x,y\na.jpg,1,2\n", "DeepLabCut"),
        ("file,xmin,ymin,xmax,ymax\na.jpg,1,2,inf,4\n", "line 2"),
        ("file,xmin,ymin,xmax,ymax\na.jpg,1,2,,4\n", "line 2"),
        ("file,xmin,ymin,xmax,ymax\n../a.jpg,1,2,3,4\n", "stay in"),
        ("file,xmin,ymin,xmax,ymax\na.jpg,1,2,3,4,5\n", "line 2"),
        ("file,xmin,ymin,xmax,ymax,frame\na.jpg,1,2,3,4,-1\n", "frame"),
    ],
)
def test_malformed_table_is_reported_with_its_fault(written, text, message):
    with pytest.raises(DatasetError, match=r"table\.csv.*" + message):
        read_csv(written(text))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(TABLE)), st.integers(0, 20), st.binary(max_size=8))
def test_any_damage_gives_a_set_or_a_dataset_error(tmp_path, start, length, junk):
    path = tmp_path / "table.csv"
    path.write_bytes(TABLE[:start].encode() + junk + TABLE[start + length :].encode())
    try:
        read_csv(path)
    except DatasetError:
        return


@pytest.mark.parametrize(
    ("place", "head"),
    [
        ("class-descriptions-boxable.csv", ""),  # as up to Open Images V6
        ("oidv7-class-descriptions.csv", "LabelName,DisplayName\n"),
        ("metadata/classes.csv", ""),  # FiftyOne's export
    ],
)
def test_ids_of_open_images_are_named(tmp_path, place, head):
    names = tmp_path / place
    names.parent.mkdir(exist_ok=True)
    names.write_text(f'{head}/m/0jbk,Animal\n/m/0c568,"Trash, paper"\n')
    (tmp_path / "labels").mkdir()
    table = tmp_path / "labels/detections.csv"
    head = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n"
    rows = (f"a,xclick,{name},1,0.1,0.2,0.3,0.4,0\n" for name in ("/m/0c568", "/m/0jbk", "/m/0x"))
    table.write_text(head + "".join(rows))
    assert read_csv(table).class_names == ("/m/0x", "Animal", "Trash, paper")
