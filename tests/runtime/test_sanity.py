"""What can't be right is said; what may be right, however odd, isn't."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import kpviewer
from kpviewer.cli.main import main
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.models.spec import ModelSpec, Resize, Task
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.sanity import FRAMES, SanityCheck
from kpviewer.sources.opencv import cv2
from kpviewer.structures import Candidates, NmsKind

pytest.importorskip("onnxruntime")

from onnx_files import HW, graph_model

SPEC = ModelSpec("net", "onnx", Task.DETECT, ("a", "b"), (640, 640), score_threshold=0.25)
FRAME_HW = (480, 640)
RNG = np.random.default_rng(0)


def candidates(boxes: object, scores: object = 0.8) -> Candidates:
    xyxy = np.asarray(boxes, np.float32).reshape(-1, 4)
    table = np.zeros((len(xyxy), 2), np.float32)
    table[:, 0] = scores
    return Candidates(xyxy, table, np.zeros((len(xyxy), 0, 2), np.float32), size_wh=(640, 480))


EMPTY = candidates([])


def boxes_at(centres: np.ndarray, sides: object) -> np.ndarray:
    sides = np.broadcast_to(np.asarray(sides, float), centres.shape)
    return np.concatenate([centres - sides / 2, centres + sides / 2], 1)


def grid(count: int, side: float = 8) -> np.ndarray:
    """Boxes side by side in the frame: a crowd."""
    cells = np.stack(np.meshgrid(np.arange(5, 635, 10), np.arange(5, 475, 10)), -1).reshape(-1, 2)
    return boxes_at(cells[:count].astype(float), side)


def doubt(
    frames: list[Candidates],
    spec: ModelSpec = SPEC,
    *,
    frame_hw: tuple[int, int] = FRAME_HW,
    on_blank: Candidates = EMPTY,
    has_nan: bool = False,
) -> str | None:
    check = SanityCheck(SimpleNamespace(spec=spec, has_nan=has_nan))
    for each in frames:
        check.check(each, frame_hw, lambda _image: (on_blank, None))
    return check.doubt


CENTRES = RNG.uniform(50, 400, (5, 2))
WRONG = {
    "under 1 px": [candidates(RNG.uniform(0, 1, (4, 4)))],
    "under 1 px, one a frame": [candidates([[0.3, 0.4, 0.9, 0.8]])] * 3,
    "under 1 px, in one image, as shares": [candidates([[0.25, -79.8, 0.75, -79.4]])],
    "within 5 px of the corner": [
        candidates(
            [
                [-0.5, -80.5, 2.5, -77],
                [0.2, -79, 1.9, -78.5],
                [1, -78, -1, -77],
                [0, -80, 2.5, -79.5],
            ]
        )
    ],
    "many times as large": [candidates(boxes_at(CENTRES, 90_000))],
    "inverted": [candidates(boxes_at(CENTRES, (-30, 20)))],
    "outside the image": [candidates(boxes_at(CENTRES * 600, 40))],
    "outside the image, left": [candidates(boxes_at(CENTRES - 900, 40))],
    "scores go up to 417": [candidates(boxes_at(CENTRES, 40), 417)],
    "scores go up to 1.3": [candidates(boxes_at(CENTRES, 40), [0.1, 0.2, 1.3, 0.4, 0.5])],
    "are the same": [candidates([[10, 10, 50, 50]] * 30, RNG.uniform(0.3, 0.9, 30))] * 3,
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_right_is_said(case):
    text = doubt(WRONG[case])
    assert text is not None
    assert case.partition(",")[0] in text
    assert "--layout" in text
    assert ".toml" in text


@pytest.mark.parametrize(
    "full", [candidates(grid(300), 0.99), candidates(grid(2000), RNG.uniform(0.5, 0.73, 2000))]
)
def test_hundreds_of_objects_in_an_empty_image_too_cannot_be_right(full):
    assert "hundreds of objects" in (doubt([full], on_blank=full) or "")
    assert doubt([full] * FRAMES, on_blank=EMPTY) is None, "a crowd"


def test_scores_that_are_not_numbers_are_said():
    assert "aren't numbers" in (doubt([EMPTY], has_nan=True) or "")


CROWD = candidates(grid(256), RNG.uniform(0.3, 0.94, 256))
RIGHT = {
    "empty scene": [EMPTY] * 50,
    "one speck among others": [
        candidates([[0, 0, 0.5, 0.5], [10, 10, 60, 80], [90, 90, 99, 99]]),
        candidates([[0, 0, 0.5, 0.5]]),
    ],
    "small objects": [candidates(boxes_at(CENTRES, 3))] * FRAMES,
    "small objects in the corner": [candidates([[0, 0, 12, 12], [0, -80, 8, -72]])] * FRAMES,
    "larger than the image": [candidates([[-500, -500, 1500, 1200]])] * FRAMES,
    "a thin object": [candidates([[10, 10, 600, 10.5]])] * FRAMES,
    "two false positives outside": [candidates([[-40, -40, -5, -5], [700, 20, 720, 40]])],
    "objects that leave the image": [candidates([[-30, -20, 40, 40], [600, 300, 900, 900]])] * 9,
    "padding of the input": [candidates([[10, -60, 50, -20]])] * FRAMES,
    "a still image": [candidates([[10, 10, 60, 80]])] * FRAMES,
    "rows of one object": [candidates(np.array([10, 10, 60, 80]) + RNG.normal(0, 1, (30, 4)))]
    * FRAMES,
    "faint rows under 1 px": [
        candidates(RNG.uniform(0, 1, (50, 4)), 0.1),
        candidates([[10, 10, 60, 80]]),
    ],
    "a crowd": [CROWD] * FRAMES,
    "a dense crowd": [candidates(np.repeat(grid(300), 10, 0) + RNG.normal(0, 0.3, (3000, 4)), 0.93)]
    * 2,
    "scores of 1 and a bit": [candidates(boxes_at(CENTRES, 40), 1.004)],
}


@pytest.mark.parametrize("case", RIGHT)
def test_what_may_be_right_is_not_doubted(case):
    assert doubt(RIGHT[case], on_blank=EMPTY) is None


def test_a_crowd_that_is_the_same_in_every_image_is_not_doubted():
    assert doubt([CROWD] * FRAMES, on_blank=CROWD) is None


def test_pixels_are_those_of_the_input():
    specks = candidates(boxes_at(CENTRES / 10, 0.5))
    small, large = (48, 64), (4800, 6400)
    assert doubt([specks], frame_hw=small) is None, "5 px of the input"
    assert doubt([candidates(boxes_at(CENTRES, 5))], frame_hw=large) is not None, "half a px"
    unscaled = replace(SPEC, resize=Resize.NONE)
    assert doubt([specks], unscaled, frame_hw=small) is not None


def test_only_the_first_frames_are_looked_at():
    good = candidates([[10, 10, 60, 80]])
    assert doubt([good] * FRAMES + [candidates(boxes_at(CENTRES, 40), 417)]) is None
    assert doubt([EMPTY] * 100 + [candidates(boxes_at(CENTRES, 40), 417)]) is not None


def test_models_of_kpviewer_are_not_looked_at():
    assert doubt(WRONG["under 1 px"], replace(SPEC, architecture="face-ssd")) is None


def test_the_blank_image_is_asked_for_once():
    asked: list[object] = []

    def infer(image: np.ndarray) -> tuple[Candidates, None]:
        asked.append(image.shape)
        return EMPTY, None

    check = SanityCheck(SimpleNamespace(spec=replace(SPEC, nms=NmsKind.NONE)))
    for _ in range(FRAMES):
        check.check(candidates(grid(300), 0.99), FRAME_HW, infer)
    assert asked == [(*FRAME_HW, 3)]


# -- who says it -----------------------------------------------------------------------------------


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """Return a model whose boxes are shares of the input, and a description that says px."""
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, :4] = [(x, x, x + 0.1, x + 0.2, 0.9, 0) for x in (0.1, 0.3, 0.5, 0.7)]
    path = graph_model(tmp_path / "wrong.onnx", {"image": ("float32", [1, 3, *HW])}, {"rows": rows})
    path.with_suffix(".toml").write_text('classes = ["a"]\n[output]\nkind = "boxes"\n')
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("1", "2"):
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((*HW, 3), np.uint8))
        (folder / f"{name}.txt").write_text("0 0.2 0.3 0.2 0.3\n")
    (folder / "classes.txt").write_text("a\n")
    return folder


def run(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stderr


@pytest.mark.usefixtures("qapp")
def test_process_says_it_once(wrong, images, tmp_path):
    said = run("process", images, "--model", wrong, "--out", tmp_path / "out", "--jsonl")
    assert said.count("under 1 px") == 1


def test_eval_says_it_once(wrong, images):
    assert run("eval", "--model", wrong, "--data", f"yolo:{images}").count("under 1 px") == 1


def test_the_log_says_it_once(wrong, caplog):
    model = kpviewer.load(wrong, device="cpu")
    with caplog.at_level(logging.WARNING, "kpviewer"):
        for _ in range(3):
            model(np.zeros((*HW, 3), np.uint8))
    assert caplog.text.count("under 1 px") == 1


NAN: dict[str, Callable[[np.ndarray], object]] = {
    "nan": lambda rows: rows.__setitem__((0, 0, 4), np.nan),
    "right": lambda rows: None,
}


@pytest.mark.parametrize("case", NAN)
def test_scores_that_are_not_numbers_reach_the_check(case, tmp_path):
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, 0] = (10, 10, 40, 40, 0.9, 0)
    NAN[case](rows)
    path = graph_model(tmp_path / "net.onnx", {"image": ("float32", [1, 3, *HW])}, {"rows": rows})
    path.with_suffix(".toml").write_text('classes = ["a"]\n[output]\nkind = "boxes"\n')
    engine = Executor(open_onnx(path), "cpu")
    engine.infer(np.zeros((*HW, 3), np.uint8))
    assert ("aren't numbers" in (engine.doubt or "")) == (case == "nan")


def test_keypoints_that_are_not_numbers_reach_the_check(tmp_path):
    rows = np.array([[[10, 10, 40, 40, 0.9, 0, np.nan, 20]]], np.float32)
    path = graph_model(tmp_path / "net.onnx", {"image": ("float32", [1, 3, *HW])}, {"rows": rows})
    described = 'classes = ["a"]\nkeypoints = ["nose"]\n[output]\nkind = "boxes"\n'
    path.with_suffix(".toml").write_text(described)
    engine = Executor(open_onnx(path), "cpu")
    assert not engine.infer(np.zeros((*HW, 3), np.uint8))[0].scores.any()  # left out
    assert "keypoints aren't numbers" in (engine.doubt or "")
