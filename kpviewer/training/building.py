"""What the builders of objectives share: reading data, and what recipes and data say of a model."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kpviewer.annotations.spec import read_annotations
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.training.config import TrainConfig
from kpviewer.training.merging import merge


def check_model(config: TrainConfig, known: Collection[str]) -> None:
    """Refuse a recipe whose model is of another family.

    Raises:
        DatasetError: if ``known`` doesn't have it.
    """
    if config.model not in known:
        raise DatasetError(
            f"Family {config.family} trains {', '.join(sorted(known))}, got {config.model!r}."
        )


def read_sets(data_specs: Sequence[str]) -> AnnotationSet:
    """Read every ``--data`` as one set.

    Raises:
        DatasetError: if one can't be read, or their names differ.
    """
    return merge([read_annotations(spec) for spec in data_specs])


def read_objects(data_specs: Sequence[str]) -> AnnotationSet:
    """Read every ``--data`` as one set that shows something.

    Raises:
        DatasetError: if one can't be read, their names differ, or nothing is annotated.
    """
    data = read_sets(data_specs)
    if not any(len(image.targets) for image in data.images):
        raise DatasetError("A data set to train on must have objects, got none. Annotate some.")
    return data


def sources_of(data: AnnotationSet) -> str:
    """Name where the images are from, as a weight file tells it."""
    return ", ".join(sorted({image.source for image in data.images} - {""}))


def largest_input(config: TrainConfig) -> tuple[int, int]:
    """Height and width of the largest input of a recipe, px: the model's own."""
    return max((size, size) if isinstance(size, int) else tuple(size) for size in config.inputs)
