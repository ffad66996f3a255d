"""``POST /detect``: the answers to images, and to what isn't one."""

import json

import httpx
import numpy as np
import pytest
from clients import image, served

from kpviewer.overlay import ensure_gui_application
from kpviewer.overlay.jpeg import bgr_of_jpeg
from kpviewer.recording.formats import JsonLines, ResultHeader
from kpviewer.structures import Candidates, Detections, Frame, FrameResult, StageTimings


def post(data: bytes, query: str = "") -> httpx.Response:
    return served(lambda client: client.post(f"/detect{query}", content=data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_image_of_each_kind_is_answered(kind):
    answer = post(image(0, kind=kind))
    assert (answer.status_code, len(answer.json()["detections"])) == (200, 1)


@pytest.mark.parametrize("place", ["thumbnail", "video"])
def test_a_jpeg_may_hold_what_looks_like_scans(place):
    jpeg, other = image(0, kind="JPEG"), b"\xff\xda\x12" * 100
    if place == "video":  # a motion photo of a phone
        data = jpeg + b"\0\0\0\x18ftypmp42" + other
    else:
        data = jpeg[:2] + b"\xff\xe2" + (2 + len(other)).to_bytes(2) + other + jpeg[2:]
    answer = post(data)
    assert (answer.status_code, len(answer.json().get("detections", []))) == (200, 1)


def test_the_answer_is_a_line_of_result_files():
    answer = post(image(7))
    detections = Detections(
        np.array([[7, 0, 17, 10]], np.float32),
        np.array([0.9], np.float32),
        np.zeros(1, np.int64),
        np.zeros((1, 0, 2), np.float32),
        np.full((1, 0), np.nan, np.float32),
    )
    frame = Frame(0, 0, None, np.zeros((48, 64, 3), np.uint8))
    same = FrameResult(frame, Candidates.empty(), detections, StageTimings())
    line = json.loads(JsonLines(ResultHeader("", class_names=("thing",))).frame(same))
    assert answer.text.endswith("}\n")
    assert answer.json().keys() == line.keys()
    assert answer.json()["detections"] == line["detections"]
    assert answer.json()["timings"].keys() == line["timings"].keys()


def test_a_form_with_one_file_is_an_image():
    files = {"image": ("a.png", image(7))}
    answer = served(lambda client: client.post("/detect", files=files))
    assert answer.json()["detections"][0]["xyxy"] == [7, 0, 17, 10]


def test_thresholds_of_the_query_select_detections():
    found = [len(post(image(), query).json()["detections"]) for query in ("?conf=0.9", "?conf=1")]
    assert found == [1, 0]


def test_the_image_comes_back_annotated():
    ensure_gui_application()
    answer = post(image(7), "?format=image")
    assert answer.headers["content-type"] == "image/jpeg"
    drawn = bgr_of_jpeg(answer.content).astype(int)
    assert drawn.shape == (48, 64, 3)
    assert np.ptp(drawn[:12, 5:19]) > 60, "the box isn't drawn"
    assert np.ptp(drawn[40:]) < 20, "something is drawn where nothing is"
