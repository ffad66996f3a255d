"""Times of all families on the same images in one run, and what they detect there."""

from collections.abc import Sequence
from functools import partial

from tqdm import tqdm

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.evaluation.timing import read_image
from kpviewer.history.memory import inference_bytes
from kpviewer.history.results import FamilyResult
from kpviewer.history.stages import Stages, StageTimer


def time_in_turn(
    results: Sequence[FamilyResult], images: Sequence[AnnotatedImage], device: str
) -> None:
    """Measure times and memory of each family that has weights, and keep its candidates.

    Each family runs on the first image, then each on the second, and so on: what disturbs one for a
    while, such as another program, disturbs all alike.

    Raises:
        DatasetError: if an image can't be read.
    """
    timers: dict[str, StageTimer] = {}
    times: dict[str, list[Stages]] = {}
    for result in results:
        timer = result.attempt(partial(_prepared, result, images[0], device))
        if timer is not None:
            timers[result.family.key], times[result.family.key] = timer, []
            result.candidates.clear()
    with tqdm(total=len(images) * len(timers), unit="image", disable=None, leave=False) as bar:
        for image in images:
            bgr = read_image(image)
            for result in results:
                key = result.family.key
                if key not in timers:
                    continue
                measured = result.attempt(partial(timers[key].measure, bgr))
                if measured is not None:
                    times[key].append(measured[0])
                    result.candidates.append(measured[1])
                bar.update()
    for result in results:
        if own := times.get(result.family.key):
            result.stages = Stages.mean(own)


def _prepared(result: FamilyResult, image: AnnotatedImage, device: str) -> StageTimer:
    assert result.weights is not None and result.detector is not None
    result.memory_bytes = inference_bytes(result.weights, image.path)
    timer = StageTimer(result.detector, device)
    timer.measure(read_image(image))  # the first run is slower than the others
    return timer
