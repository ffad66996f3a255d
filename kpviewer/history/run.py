"""The history itself: train every family, score each, time all together, write the page."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from tqdm import tqdm

from kpviewer.errors import RecordingError
from kpviewer.evaluation.checkpoints import chosen
from kpviewer.evaluation.detections import require_images
from kpviewer.history.families import FAMILIES
from kpviewer.history.page import write_page
from kpviewer.history.results import FamilyResult, History, Request
from kpviewer.history.scores import Scores, score
from kpviewer.history.settings import digest_of
from kpviewer.history.timing import time_in_turn
from kpviewer.history.training import train_family
from kpviewer.models.weights import load_model
from kpviewer.runtime.device import device_label, resolve_device
from kpviewer.system.paths import make_folder
from kpviewer.system.processor import processor_name

JSON_FILE = "history.json"
_SCORES_FILE = "scores.json"


def write_history(
    request: Request, out_dir: Path, say: Callable[[str], object] = lambda _: None
) -> History:
    """Train, score and time every family; write ``index.html`` and ``history.json``.

    What was trained or scored before with the same settings isn't repeated; times are measured
    again. A family that fails is reported in its row, and the others go on.

    Returns:
        The results; ``failure`` of a family says why it lacks some.

    Raises:
        DatasetError: if there are no test images.
        PipelineError: if the device isn't available.
        RecordingError: if the folder or the page can't be written.
    """
    require_images(request.test)
    device = resolve_device(request.device)
    make_folder(out_dir, RecordingError)
    results = [
        FamilyResult(family, family.architectures.get(request.budget.backbone, ""))
        for family in (FAMILIES[key] for key in request.families)
    ]
    for result in results:
        result.attempt(partial(_train, result, request, out_dir, say))
    for result in results:
        result.attempt(partial(_score, result, request, say))
    timed = chosen(request.test.images, request.timed_images)
    say(f"Measuring times on {len(timed)} images")
    time_in_turn(results, timed, request.device)
    history = History(request, timed, _machine(device), results)
    try:
        text = json.dumps(history.to_json(), indent=2) + "\n"
        (out_dir / JSON_FILE).write_text(text, encoding="utf-8")
        write_page(out_dir, history)
    except OSError as error:
        raise RecordingError(f"{out_dir} can't be written: {error}. Choose another.") from error
    return history


def _train(
    result: FamilyResult, request: Request, out_dir: Path, say: Callable[[str], object]
) -> None:
    family, budget = result.family, request.budget
    folder = out_dir / family.key
    result.trained = train_family(
        family,
        budget,
        request.data_specs,
        folder,
        request.device,
        begin=lambda: say(f"{family.title}: training on {budget.images:,} images"),
    )
    result.weights = folder / result.trained.weights
    result.file_bytes = result.weights.stat().st_size
    result.detector = load_model(result.weights)
    result.parameters = sum(each.numel() for each in result.detector.network.parameters())


def _score(result: FamilyResult, request: Request, say: Callable[[str], object]) -> None:
    """Score a family, or read the scores of the same weights on the same images."""
    assert result.weights is not None and result.detector is not None
    digest = hashlib.blake2b(result.weights.read_bytes(), digest_size=16)
    key = digest.hexdigest() + digest_of(request.test)
    kept = result.weights.with_name(_SCORES_FILE)
    result.scores = _kept_scores(kept, key)
    if result.scores is not None:
        return
    say(f"{result.family.title}: scoring {len(request.test)} images")
    with tqdm(total=len(request.test), unit="image", disable=None, leave=False) as bar:
        result.scores = score(
            result.detector, request.test, request.device, lambda _done: bar.update()
        )
    kept.write_text(json.dumps({"key": key, **asdict(result.scores)}, indent=2), encoding="utf-8")


def _kept_scores(path: Path, key: str) -> Scores | None:
    """Return the scores of a file; None if it has none of these weights and images."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        return Scores(**before) if before.pop("key") == key else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _machine(device: torch.device) -> str:
    """Return the device for readers, such as "AMD EPYC, 2 threads"."""
    if device.type != "cpu":
        return device_label(device)
    return f"{processor_name() or device_label(device)}, {torch.get_num_threads()} threads"
