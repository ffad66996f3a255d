"""What the user exports of a whole file, and the command that does it. No Qt."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.opening.model_request import LoadedModel
from kpviewer.models.libraries.inference import BACKENDS
from kpviewer.models.spec import ModelSpec
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.protocols import runs_on
from kpviewer.runtime.runners import PRECISIONS
from kpviewer.sources.naming import GENERATED, path_of
from kpviewer.sources.turn import Turn
from kpviewer.structures import NmsKind, Thresholds

OUTPUTS = {
    "video": tr_noop("Annotated video (MP4)"),
    "raw": tr_noop("Video without the overlay (MP4)"),
    "jsonl": tr_noop("Detections: JSON Lines, one per frame"),
    "csv": tr_noop("Detections: CSV, one row per detection"),
    "coco": tr_noop("Detections: COCO results"),
    "voc": tr_noop("Images with labels: Pascal VOC"),
    "yolo": tr_noop("Images with labels: YOLO"),
    "report": tr_noop("Scores: report with curves and the worst frames"),
}
"""Kinds of files by their option of ``kpviewer process``."""
REPORT = "report"
"""Kind of file that needs ground truth."""


@dataclass(frozen=True, slots=True)
class ExportChoices:
    """Files to write, and their folder."""

    outputs: tuple[str, ...]
    """Keys of OUTPUTS."""
    folder: Path


def exportable(source: str | None) -> str | None:
    """Return a source as another process can open it whole; None for a live one."""
    text = (source or "").strip()
    if text.lower() in GENERATED:
        return text.lower()
    path = path_of(source)
    return str(path.absolute()) if path is not None else None


def export_arguments(
    choices: ExportChoices,
    source: str,
    model: LoadedModel,
    thresholds: Thresholds,
    style: OverlayStyle,
    turn: Turn,
) -> list[str]:
    """Return the arguments of ``kpviewer`` that export a source as it is seen in the window.

    Args:
        choices: what to write.
        source: as of ``exportable``.
        model: the present model; it runs on the same device, backend and precision.
        thresholds: the present ones.
        style: its ``anonymise``, ``smooth_landmarks`` and ``tracks`` count.
        turn: rotation and mirroring of the source.
    """
    switches = {
        "--anonymise": style.anonymise,
        "--smooth-landmarks": style.smooth_landmarks,
        "--track": style.tracks,
    }
    return [
        *("process", "--json-progress", "--no-manifest", "--out", str(choices.folder)),
        *(f"--{output}" for output in choices.outputs),
        *model_arguments(model),
        *threshold_arguments(thresholds, model.engine.spec),
        *(option for option, is_on in switches.items() if is_on),
        *turn.options,
        *("--", source),
    ]


def input_arguments(choices: ExportChoices, ground_truth: str, scan: Path | None) -> list[str]:
    """Return the options that name what an export reads beside its source.

    Args:
        choices: what to write.
        ground_truth: annotations that a report compares with; "" if the source has its own.
        scan: scan of this source with this model, whose candidates are taken; None: none.
    """
    is_compared = bool(ground_truth) and REPORT in choices.outputs
    return [
        *(("--ground-truth", ground_truth) if is_compared else ()),
        *(("--from-scan", str(scan)) if scan is not None else ()),
    ]


def model_arguments(model: LoadedModel) -> list[str]:
    """Return the options that load the same model on the same device and backend."""
    arguments = ["--model", model.actual.model, "--device", model.device]
    if model.content is not None:
        arguments += ["--model-hash", model.content]
    _, backend, precision = runs_on(model.engine)
    if backend in BACKENDS:
        arguments += ["--backend", backend]
    if precision in PRECISIONS:
        arguments += ["--precision", precision]
    return arguments


def threshold_arguments(thresholds: Thresholds, spec: ModelSpec) -> list[str]:
    """Return the options that set thresholds."""
    arguments = ["--conf", _number(thresholds.score), "--iou", _number(thresholds.iou)]
    arguments += ["--nms", thresholds.nms.value]
    if thresholds.nms is NmsKind.SOFT_GAUSSIAN:
        arguments += ["--sigma", _number(thresholds.sigma)]
    if spec.keypoint_threshold is not None:
        arguments += ["--keypoint-conf", _number(thresholds.keypoint)]
    names = spec.class_names
    if thresholds.classes is not None:
        arguments += ["--classes", ",".join(words_of_classes(thresholds.classes, names))]
    for class_id, score in sorted(thresholds.class_scores.items()):
        arguments += ["--class-conf", f"{_class_word(class_id, names)}={_number(score)}"]
    return arguments


def words_of_classes(class_ids: Iterable[int], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return classes as the command line reads them."""
    return tuple(_class_word(class_id, names) for class_id in sorted(class_ids))


def summary_of(thresholds: Thresholds, spec: ModelSpec, style: OverlayStyle) -> str:
    """Return what the export uses, for people."""
    parts = [
        spec.name,
        tr("confidence {score:.2f}").format(score=thresholds.score),
        tr("IoU {iou:.2f}").format(iou=thresholds.iou),
    ]
    if thresholds.classes is not None:
        shown, count = len(thresholds.classes), len(spec.class_names)
        parts.append(tr("{n} of {count} classes").format(n=shown, count=count))
    if style.tracks:
        parts.append(tr("tracked"))
    if style.anonymise:
        parts.append(tr("anonymised"))
    if style.smooth_landmarks:
        parts.append(tr("landmarks smoothed"))
    return " · ".join(parts)


def _number(value: float) -> str:
    """Return a float32 without the digits that a float64 adds."""
    return f"{value:.6g}"


def _class_word(class_id: int, names: tuple[str, ...]) -> str:
    """Return a class for the command line: its name, or its number if that isn't read as it is."""
    name = names[class_id]
    is_plain = name == name.strip() and "," not in name and names.count(name) == 1
    return name if name and is_plain else str(class_id)
