"""Every command of the tutorials on public data runs on small folders of the sets' own shape."""

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from kpviewer.cli.main import COMMANDS, main
from kpviewer.models.networks.ssd import ssd300
from tests.annotations.public_sets import biwi, celeba, pascal_2007, voc_2012
from tests.test_documents import ROOT, commands_of

TUTORIALS = ROOT / "docs" / "tutorials"
SMALL = {
    "train": ["batch=2", "steps=1", "workers=0", "save_every=1", "pretrained=", "warmup_steps=0"],
    "single-object": ["inputs=[64]"],
    "multilabel": ["inputs=[64]"],
    "head-centre": ["inputs=[64]", "frozen_steps=0"],
    "face-points": ["inputs=[64]"],
    "face-points-resnet18": ["inputs=[64]"],
    "ssd300": ["frozen_steps=1", "batch=1"],
    "light-ssd": ["inputs=[64]", "input_shares=[1]"],
    "strip-grid": ["inputs=[[64,96]]"],
}
"""Settings that make a run short; an empty ``pretrained`` needs no network."""


def faces(folder: Path) -> None:
    """Write faces with five points in COCO's format, as the tutorial on heatmaps names them."""
    names = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]
    for part in ("train", "val"):
        root = folder / "faces" / part
        (root / "images").mkdir(parents=True)
        points = [value for index in range(5) for value in (30 + 5 * index, 40 + 3 * index, 2)]
        data = {
            "categories": [{"id": 1, "name": "face", "keypoints": names}],
            "images": [{"id": 1, "file_name": f"{part}.png", "width": 90, "height": 80}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 20, 45, 50],
                             "area": 2250, "iscrowd": 0, "keypoints": points,
                             "num_keypoints": 5}],
        }  # fmt: skip
        (root / "annotations.json").write_text(json.dumps(data))
        tone = (90, 60, 60 if part == "train" else 120)
        Image.new("RGB", (90, 80), tone).save(root / "images" / f"{part}.png")


PAGES: dict[str, Callable[[Path], object]] = {
    "celeba": celeba,
    "ssd300-voc": voc_2012,
    "multilabel-pascal": pascal_2007,
    "head-centre-biwi": lambda folder: biwi(folder, ("01", "13", "14", "23")),
    "heatmaps": faces,
    "strips": lambda folder: None,
}


def shortened(words: list[str]) -> list[str]:
    """Return a command that takes a few images or steps."""
    if words[1] == "train":
        settings = SMALL["train"] + SMALL.get(words[2], [])
        if words[2] == "strip-grid":
            settings = [each for each in settings if not each.startswith("pretrained")]
        return words + [word for each in settings for word in ("--set", each)]
    quick = ["--backend", "torch", "--precision", "fp32"]  # measures no backends
    return words + {
        "eval": [*quick, "--limit", "1"],
        "process": [*quick, "--seconds", "0.1", "--every", "1"],
    }.get(words[1], [])


def is_here(words: list[str]) -> bool:
    """Return whether a command runs on data of the page, without window, camera and network."""
    return words[1] in COMMANDS and words[1] != "view" and "voc:strip:" not in " ".join(words)


def narrow_vgg(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give SSD300's VGG16 an eighth of its channels up to the first map."""
    monkeypatch.setattr(ssd300, "_VGG", (8, 8, 16, 16, 32, 32, 32, 64, 64, 512, *[64] * 2, 512))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_tutorial_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    narrow_vgg(monkeypatch)
    PAGES[page](tmp_path)
    commands = commands_of(TUTORIALS / f"{page}.md", ("kpviewer ", "ls "))
    for line in commands:
        words = shlex.split(line)
        if words[0] == "ls":  # splits 3 images instead of 60
            short = line.replace("-n 40", "-n 2").replace("-n 20", "-n 1")
            subprocess.run(short, shell=True, check=True)
        elif is_here(words):
            result = CliRunner().invoke(main, shortened(words)[1:])
            assert result.exit_code == 0, f"{line}\n{result.output}{result.exception!r}"
