"""Ground truth of the open source: found beside it, opened from the menu, or dropped."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeTimings
from gui.conftest import ViewerFakeEngine, pose_engine
from gui.controllers.test_dropping import drag, mime
from PyQt6.QtCore import QUrl
from PyQt6.QtWidgets import QFileDialog, QPushButton
from sample_clips import FRAMES, make_clip

from kpviewer.annotations.ground_truth import read_ground_truth
from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.keys import Act
from kpviewer.gui.opening.source_ground_truth import (
    FoundGroundTruth,
    GroundTruthSlot,
    SourceGroundTruth,
)
from kpviewer.gui.opening.source_opening import open_source
from kpviewer.gui.views.panels.message_line import MessageLine
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.runtime.process.loading import Outcome
from kpviewer.sources.opencv import cv2
from kpviewer.structures import Candidates, ImageArray

HEADER = "file,class,xmin,ymin,xmax,ymax\n"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three black images, in a folder of their own."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in "abc":
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((48, 64, 3), np.uint8))
    return folder


def table(path: Path, class_name: str = "thing", left: int = 10) -> Path:
    rows = [f"{name}.png,{class_name},{left},10,{left + 20},30\n" for name in "abc"]
    path.write_text(HEADER + "".join(rows))
    return path


def ground_truth_left(window) -> float | None:
    """Left side of the true box in the image that is shown."""
    result = window.view.result()
    ground_truth = result.frame.ground_truth if result is not None else None
    return (
        float(ground_truth.xyxy[0, 0]) if ground_truth is not None and len(ground_truth) else None
    )


def test_ground_truth_beside_the_images_is_found_and_numbered_as_the_model_does(
    qtbot, open_window, images
):
    table(images / "labels.csv")
    window = open_window(named=str(images), open_source=open_source)
    qtbot.waitUntil(lambda: ground_truth_left(window) == 10)
    qtbot.waitUntil(lambda: window.view.result().error is not None)
    assert "labels.csv" in window.status_bar.message()


@pytest.mark.parametrize("is_late", [False, True])
def test_keypoints_are_compared_by_name(qtbot, open_window, images, is_late):
    labels = images.parent / "points.csv"
    header = HEADER.strip() + ",chin_x,chin_y,Nose_x,Nose_y,ear_x,ear_y\n"
    labels.write_text(
        header + "".join(f"{name}.png,thing,0,0,10,10,8,8,2,2,5,5\n" for name in "abc")
    )
    window = open_window(
        named=str(images),
        open_source=open_source,
        load_engine=lambda *_: pose_engine(),
        ground_truth=None if is_late else read_ground_truth(str(labels), ()),
    )
    qtbot.waitUntil(lambda: window.view.result() is not None and window.view.result().has_model)
    if is_late:
        window.opener.use_ground_truth(str(labels))
    qtbot.waitUntil(lambda: window.view.result().error is not None)
    assert window.view.result().error.matched == 1
    assert window.view.result().error.mean_px == 0
    line = window.status_bar.findChild(MessageLine)
    qtbot.waitUntil(lambda: "the model doesn't have ear" in line.toolTip())


class TwoClasses(ViewerFakeEngine):
    """Engine of a model with two classes, which finds one object."""

    def infer(self, bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        box, scores = np.array([[10, 10, 40, 30]], np.float32), np.full((1, 2), 0.9, np.float32)
        return Candidates(box, scores, np.zeros((1, 0, 2), np.float32)), FakeTimings()


@pytest.mark.parametrize("is_paused", [False, True])
def test_the_demo_is_compared_with_models_that_share_a_class(qtbot, open_window, is_paused):
    cards, faces = TwoClasses(), TwoClasses()
    cards.spec = replace(cards.spec, class_names=("ace", "jack"))
    faces.spec = replace(faces.spec, class_names=("hand", "Face"))
    engines = {"cards": cards, "faces": faces}
    window = open_window(
        named="demo",
        open_source=open_source,
        load_engine=lambda name, *_: engines.get(name, cards),
    )
    qtbot.waitUntil(lambda: window.view.result() is not None and window.view.result().has_model)
    qtbot.waitUntil(lambda: window.view.result().frame.ground_truth is None)
    assert window.view.result().error is None
    assert "The model knows ace, jack; the video shows face" in window.session.ground_truth.problem
    if is_paused:
        window.actions_of_keys.run(Act.PLAY)
    window.opener.choose_model("faces")
    qtbot.waitUntil(lambda: window.view.result().error is not None)
    assert set(window.view.result().frame.ground_truth.class_ids.tolist()) == {1}
    assert window.session.ground_truth.problem == ""


def test_entries_left_out_of_the_ground_truth_are_reported_once_and_listed_in_full(
    qtbot, open_window, images
):
    path = table(images / "labels.csv")
    path.write_text(
        path.read_text().replace("a.png", "A.PNG").replace("b.png,thing,10", "b.png,thing,x")
    )
    window = open_window(named=str(images), open_source=open_source)
    line = window.status_bar.findChild(MessageLine)
    qtbot.waitUntil(lambda: "Ground truth fits 2 of 3 images: none for b.png" in line.toolTip())
    tip = line.toolTip()
    assert tip.count("1 of 3 entries left out") == 1
    assert "'A.PNG' is 'a.png'" in tip


def test_each_kind_of_note_is_reported_once(tmp_path):
    path = table(tmp_path / "labels.csv")
    path.write_text(path.read_text().replace("b.png,thing,10", "b.png,thing,x"))
    ground_truth = SourceGroundTruth("clip.mp4", read_ground_truth(f"csv:{path}", ()))
    found = ground_truth.find("clip.mp4")
    ground_truth.use(found)
    assert "1 of 3 entries left out" in ground_truth.take_news()
    assert ground_truth.take_news() is None
    for name, size_wh in (("a.png", (9, 9)), ("c.png", (8, 8))):  # boxes outside, one by one
        assert found.ground_truth.for_frame(0, name, size_wh) is None
        news = ground_truth.take_news()
        assert news is None if name == "c.png" else "Box lies outside" in news


@pytest.mark.parametrize(
    ("note", "news"),
    [
        ("keypoints can't be compared: 3 and 2", "Keypoints can't be compared: 3 and 2."),
        ("1 of 3 entries left out: no box.", "1 of 3 entries left out: no box."),
        ("pets.yaml says nc: 3, but lists 2 names", "pets.yaml says nc: 3, but lists 2 names."),
    ],
)
def test_a_note_is_shown_as_a_sentence(tmp_path, monkeypatch, note, news):
    ground_truth = SourceGroundTruth("clip.mp4")
    annotations = read_ground_truth(f"csv:{table(tmp_path / 'labels.csv')}", ())
    monkeypatch.setattr(type(annotations), "notes", (note,))
    ground_truth.use(FoundGroundTruth(annotations))
    assert ground_truth.take_news() == news


def test_a_lack_of_shared_classes_is_reported_once_a_model(images):
    found = SourceGroundTruth(None, None)
    spec = f"csv:{table(images / 'labels.csv', 'robot')}"
    found.use(FoundGroundTruth(read_ground_truth(spec, ())))
    news = []
    for names in (("a", "b"), ("a", "b"), ("c", "d")):  # a better backend takes over; another model
        found.use_names(names, ())
        news.append(found.take_news())
    assert [each and "Nothing is compared" in each for each in news] == [True, None, True]


def test_ground_truth_of_other_classes_is_reported_and_the_images_play(qtbot, open_window, images):
    path = table(images / "labels.csv", class_name="tram")
    path.write_text(path.read_text().replace("tram", "bus", 1))
    window = open_window(named=str(images), open_source=open_source)
    qtbot.waitUntil(
        lambda: "Nothing is compared with the ground truth" in window.status_bar.message()
    )
    words = "annotations can't be compared"
    qtbot.waitUntil(lambda: window.transport.strip.words.hints[2] == words)
    qtbot.waitUntil(lambda: window.view.result() is not None)


def test_broken_ground_truth_is_reported_and_the_images_play(qtbot, open_window, images):
    (images / "labels.csv").write_text(HEADER + "a.png,thing,x,y,3,4\n")
    window = open_window(named=str(images), open_source=open_source)
    qtbot.waitUntil(lambda: window.status_bar.message().startswith("No ground truth: "))
    qtbot.waitUntil(lambda: window.view.result() is not None)
    assert ground_truth_left(window) is None


def test_an_image_without_labels_among_labelled_ones_is_not_called_a_source_without(
    qtbot, open_window, images
):
    (images / "labels.csv").write_text(HEADER + "c.png,thing,10,10,30,30\n")
    window = open_window(named=str(images), open_source=open_source)
    window.side_panel.open(Intent.SCORE)
    summary = window.side_panel.score.summary
    qtbot.waitUntil(lambda: window.view.result() is not None and window.view.result().has_model)
    window.bridge.playback.show(0)
    qtbot.waitUntil(lambda: window.view.result().frame.index == 0)
    window.bridge.refresh()
    assert ground_truth_left(window) is None
    assert "No annotations of this source" not in summary.text()
    assert not summary.open_annotations.isVisible()


def test_button_opens_the_images_of_a_folder_that_holds_none(qtbot, open_window, images):
    window = open_window(named=str(images.parent), open_source=open_source)
    button = lambda: window.view.card.findChild(QPushButton)  # noqa: E731
    qtbot.waitUntil(lambda: window.session.failure is not None)
    qtbot.waitUntil(lambda: button() is not None and button().text() == f"Open {images.name}")
    button().click()
    qtbot.waitUntil(lambda: window.view.result() is not None)
    assert window.session.source_text == str(images)


@pytest.mark.parametrize("name", ["", "a.png"])
def test_dialog_for_annotations_begins_in_the_folder_of_the_source(
    qtbot, open_window, images, monkeypatch, name
):
    window = open_window(named=str(images / name), open_source=open_source)
    qtbot.waitUntil(lambda: window.session.info is not None)
    begun = []
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *given: (begun.append(given[2]), ("", ""))[1]
    )
    window.actions_of_keys.run(Act.OPEN_GROUND_TRUTH)
    assert begun == [str(images)]  # with no file of the source entered as annotations


def test_ground_truth_is_opened_for_the_open_images(
    qtbot, open_window, images, tmp_path, monkeypatch
):
    window = open_window(named=str(images), open_source=open_source)
    qtbot.waitUntil(lambda: window.view.result() is not None)
    assert ground_truth_left(window) is None
    chosen = table(tmp_path / "other.csv", left=20)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(chosen), ""))
    window.actions_of_keys.run(Act.OPEN_GROUND_TRUTH)
    qtbot.waitUntil(lambda: ground_truth_left(window) == 20)


def test_labels_of_the_frames_of_a_video_may_be_opened(qtbot, open_window, tmp_path, monkeypatch):
    clip, labels = make_clip(tmp_path / "clip.mp4"), tmp_path / "labels"  # 64 x 48
    labels.mkdir()
    for number in range(1, FRAMES + 1):
        (labels / f"clip_{number}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    window = open_window(named=clip, open_source=open_source)
    qtbot.waitUntil(lambda: window.view.result() is not None)
    finders = []  # of the lanes and scores of frames that aren't shown
    monkeypatch.setattr(window.scanning.analysis, "set_ground_truth", finders.append)
    chosen = str(labels / "clip_1.txt")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (chosen, ""))
    window.actions_of_keys.run(Act.OPEN_GROUND_TRUTH)
    qtbot.waitUntil(lambda: ground_truth_left(window) == 16 and bool(finders))
    assert finders[-1]().for_frame(FRAMES - 1).xyxy.tolist() == [[16, 12, 48, 36]]


def test_opening_ground_truth_keeps_position_and_pause_and_evaluates_again(
    qtbot, open_window, images, tmp_path
):
    table(images / "labels.csv")
    opened = []

    def counted(text, ground_truth):
        opened.append(text)
        return open_source(text, ground_truth)

    window = open_window(named=str(images), open_source=counted)
    qtbot.waitUntil(lambda: ground_truth_left(window) == 10 and window.session.info is not None)
    window.bridge.playback.show(1)
    qtbot.waitUntil(lambda: window.view.result().frame.index == 1)
    qtbot.waitUntil(lambda: window.view.result().error is not None)
    assert window.view.result().error.matched == 0
    other = tmp_path / "other.csv"  # where the model sees something
    other.write_text(HEADER + "".join(f"{name}.png,thing,5,5,15,15\n" for name in "abc"))
    window.session.ground_truth.read(str(images), f"csv:{other}:{images}")
    qtbot.waitUntil(lambda: ground_truth_left(window) == 5)
    assert window.view.result().frame.index == 1
    qtbot.waitUntil(lambda: not window.bridge.playback.is_playing)
    assert window.view.result().error.matched == 1
    assert len(opened) == 1  # the source goes on
    window.session.reopen()
    qtbot.waitUntil(lambda: len(opened) == 2 and ground_truth_left(window) == 5)


def test_ground_truth_that_can_not_be_read_leaves_the_former_one(
    qtbot, open_window, images, tmp_path
):
    table(images / "labels.csv")
    window = open_window(named=str(images), open_source=open_source)
    qtbot.waitUntil(lambda: ground_truth_left(window) == 10)
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing\n")
    window.session.ground_truth.read(str(images), f"csv:{bad}:{images}")
    qtbot.waitUntil(lambda: window.status_bar.message().startswith("No ground truth: "))
    window.bridge.playback.show(2)
    qtbot.waitUntil(lambda: window.view.result().frame.index == 2)
    assert ground_truth_left(window) == 10
    assert window.session.ground_truth.problem == ""


def test_ground_truth_may_be_dropped(qtbot, open_window, images, tmp_path):
    window = open_window(named=str(images), open_source=open_source)
    qtbot.waitUntil(lambda: window.view.result() is not None)
    dropped = table(tmp_path / "other.csv", left=30)
    assert drag(window, mime(urls=(QUrl.fromLocalFile(str(dropped)).toString(),)))
    qtbot.waitUntil(lambda: ground_truth_left(window) == 30)


@pytest.mark.parametrize("has_images", [False, True])
def test_a_folder_of_labels_may_be_dropped(qtbot, open_window, images, tmp_path, has_images):
    labels = tmp_path / "elsewhere" / "Labels"
    labels.mkdir(parents=True)
    (labels / "classes.txt").write_text("thing\n")
    for image in images.iterdir():
        (labels / f"{image.stem}.txt").write_text("0 0.75 0.5 0.5 0.5\n")
        if has_images:
            shutil.copy(image, labels)
    window = open_window(named=str(images), open_source=open_source)
    qtbot.waitUntil(lambda: window.view.result() is not None)
    assert drag(window, mime(urls=(QUrl.fromLocalFile(str(labels)).toString(),)))
    if has_images:  # a source of its own
        qtbot.waitUntil(lambda: window.session.source_name == "Labels")
    else:
        qtbot.waitUntil(lambda: ground_truth_left(window) == 32)
        assert window.session.source_name == images.name


def test_ground_truth_without_images_is_refused_with_the_cure(
    qtbot, open_window, tmp_path, monkeypatch
):
    window = open_window()  # no file
    qtbot.waitUntil(lambda: window.view.result() is not None)
    dropped = table(tmp_path / "other.csv")
    drag(window, mime(urls=(QUrl.fromLocalFile(str(dropped)).toString(),)))
    assert "Open one first" in window.status_bar.message()
    window.status_bar.show_message("")
    asked = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: asked.append(1) or ("", ""))
    window.actions_of_keys.run(Act.OPEN_GROUND_TRUTH)
    assert "Open one first" in window.status_bar.message()
    assert not asked, "the file that the user looks for would be refused"


def test_annotations_that_fail_are_not_said_of_the_next_source(qtbot, monkeypatch, tmp_path):
    jobs = []
    submit = lambda _loader, _name, job, then: jobs.append((job, then))  # noqa: E731
    monkeypatch.setattr(BackgroundLoader, "submit", submit)
    truth = SourceGroundTruth()
    truth.use(FoundGroundTruth(None, slot=GroundTruthSlot(None)))
    gone = str(tmp_path / "gone.csv")
    assert truth.is_possible
    truth.read("a", gone)
    ((job, then),) = jobs
    truth.use(FoundGroundTruth(None, slot=GroundTruthSlot(None)))  # another source is open
    then(Outcome(gone, job(), None))
    assert truth.take_news() is None
    assert truth.problem == ""
    truth.close()
