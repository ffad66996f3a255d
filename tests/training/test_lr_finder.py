"""The range test of learning rates: its suggestion for synthetic curves, and its files."""

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.image import imread
from training.lines import LineObjective

from kpviewer.cli.train import command
from kpviewer.errors import PipelineError
from kpviewer.training.config import TrainConfig
from kpviewer.training.lr_finder import RateCurve, find_rate


def curve(steepest: float, noise: float = 0.0) -> RateCurve:
    """Return a loss that falls from 1 to 0.2 about a rate, and diverges at the end."""
    rates = np.geomspace(1e-6, 1, 120).astype(np.float32)
    falling = 0.6 - 0.4 * np.tanh(2 * np.log10(rates / steepest))
    falling[-10:] += np.arange(10) ** 2
    chance = np.random.default_rng(0).normal(0, noise, len(rates))
    return RateCurve(rates, (falling + chance).astype(np.float32))


@pytest.mark.parametrize("steepest", [1e-4, 1e-3, 1e-2])
def test_the_steepest_fall_is_suggested(steepest):
    step = 10 ** (6 / 119)
    assert steepest / step <= curve(steepest).suggestion <= steepest * step
    # with noise of an eighth of the fall, within half a decade
    assert abs(np.log10(curve(steepest, noise=0.1).suggestion / steepest)) < 0.5


def test_a_loss_that_only_rises_suggests_nothing():
    rates = np.geomspace(1e-6, 1, 60).astype(np.float32)
    with pytest.raises(PipelineError, match="here it never fell"):
        _ = RateCurve(rates, np.linspace(1, 2, 60, dtype=np.float32)).suggestion
    with pytest.raises(PipelineError, match="here it never fell"):
        _ = RateCurve(rates[:3], rates[:3]).suggestion
    with pytest.raises(PipelineError, match="here it never fell"):
        _ = RateCurve(rates[:0], rates[:0]).suggestion


def test_a_run_that_diverges_ends_early():
    config = TrainConfig(
        batch=16, inputs=(8,), input_shares=(1.0,), workers=0, clip_norm=1e9, weight_decay=0.0
    )
    found = find_rate(LineObjective(), config)
    assert 20 < len(found.rates) < 120
    assert found.losses[-1] > found.losses.min()
    assert 1e-5 < found.suggestion < 0.1


def test_the_command_writes_the_curve_and_no_weights(tmp_path):
    arguments = ["strip-grid", "--data", "demo", "--find-lr", "--out", str(tmp_path / "run")]
    for change in ("batch=4", "inputs=[96]", "workers=0"):
        arguments += ["--set", change]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert "--set learning_rate=" in result.output
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "lr_finder.csv", "lr_finder.png",
    }  # fmt: skip
    lines = (tmp_path / "run" / "lr_finder.csv").read_text().splitlines()
    assert lines[0] == "learning_rate,loss,smoothed" and 20 < len(lines) <= 121
    image = imread(tmp_path / "run" / "lr_finder.png")
    assert min(image.shape[:2]) > 300 and image.std() > 0.02


def test_the_command_has_nothing_to_resume(tmp_path):
    arguments = ["strip-grid", "--data", "demo", "--find-lr", "--resume", "--out", str(tmp_path)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2 and "without --resume" in result.output
