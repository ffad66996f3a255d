"""Functions shared by the builders of objectives: reading data, checking recipes."""

import dataclasses
from collections.abc import Collection, Sequence

from torch import nn

from kpviewer.annotations.spec import read_annotations
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.opening.pretrained import start_backbone
from kpviewer.models.spec import ModelSpec
from kpviewer.training.config import TrainConfig
from kpviewer.training.data.box_clusters import input_sizes
from kpviewer.training.data.merging import merge, sources_of
from kpviewer.training.data.placement import MIN_SIDE_PX
from kpviewer.training.data.scenes import check_size


def check_model(config: TrainConfig, known: Collection[str]) -> None:
    """Check that the model of a recipe is one of its family.

    Raises:
        DatasetError: if it isn't among ``known``.
    """
    if config.model not in known:
        raise DatasetError(
            f"Family {config.family} trains {', '.join(sorted(known))}, got {config.model!r}."
        )


def read_sets(data_specs: Sequence[str]) -> AnnotationSet:
    """Read every ``--data`` and merge them into one set.

    Raises:
        DatasetError: if one can't be read, or their names differ.
    """
    return merge([read_annotations(spec) for spec in data_specs])


def read_objects(data_specs: Sequence[str]) -> AnnotationSet:
    """Read every ``--data`` and merge them into one set with at least one object.

    Raises:
        DatasetError: if one can't be read, their names differ, or nothing is annotated but
            difficult objects.
    """
    data = read_sets(data_specs)
    if not any((~image.targets.difficult).any() for image in data.images):
        raise DatasetError(
            "A data set to train on must have objects that aren't difficult (COCO: crowds), got "
            "none. Annotate some."
        )
    return data


def size_notes(data: AnnotationSet, spec: ModelSpec) -> list[str]:
    """Return a note if most objects are too small in the model's input to be learned."""
    sizes_wh = input_sizes(data, spec)
    small = int((sizes_wh.min(axis=1) < MIN_SIDE_PX).sum())
    if 2 * small < len(sizes_wh):
        return []
    height, width = spec.input_hw
    return [
        f"{small} of {len(sizes_wh)} objects are below {MIN_SIDE_PX:g} px in an input of "
        f"{height}x{width} px, and are learned only where they are enlarged. Set larger inputs"
    ]


def start_pretrained(backbone: nn.Module, config: TrainConfig, pretrained: str) -> None:
    """Load pretrained weights into a backbone; leave it as it is if the recipe names none.

    Args:
        backbone: backbone of the network.
        config: configuration; the name of its model ends with that of the backbone.
        pretrained: as in ``models.opening.pretrained.start_backbone``, or empty.

    Raises:
        WeightsError: if the weights can't be read, or don't fit.
    """
    if pretrained:
        start_backbone(backbone, config.model.split("-")[-1], pretrained)


def box_spec(base: ModelSpec, config: TrainConfig, name: str, data: AnnotationSet) -> ModelSpec:
    """Describe a box detector of the classes of the data.

    Args:
        base: description of the architecture; without a stride, it has one input size.
        config: configuration, with the architecture and the sizes of the inputs.
        name: name of the model and its file; empty: name of the architecture.
        data: annotated images.

    Raises:
        DatasetError: if the architecture doesn't support a size of the inputs.
    """
    largest = max(config.largest_input_hw)
    spec = dataclasses.replace(
        base,
        name=name or config.model,
        architecture=config.model,
        class_names=data.class_names,
        input_hw=base.input_hw if base.stride is None else (largest, largest),
        trained_on=sources_of(data),
    )
    for input_hw in config.inputs_hw:
        check_size(spec, input_hw)
    return spec
