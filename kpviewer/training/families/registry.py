"""Families of models that ``kpviewer train`` knows. A new family is a module and a line here."""

from collections.abc import Callable, Mapping, Sequence

from kpviewer.errors import DatasetError, WeightsError
from kpviewer.models.spec import checked
from kpviewer.training.config import TrainConfig
from kpviewer.training.families.multilabel import multilabel_objective
from kpviewer.training.families.objects import objects_objective
from kpviewer.training.families.points import point_objective
from kpviewer.training.families.regions import regions_objective
from kpviewer.training.families.single_object import single_object_objective
from kpviewer.training.families.ssd import ssd_objective
from kpviewer.training.families.strip import strip_objective
from kpviewer.training.families.yolov3 import yolov3_objective
from kpviewer.training.objective import Objective

FAMILIES: Mapping[str, Callable[[TrainConfig, Sequence[str]], Objective]] = {
    "multilabel": multilabel_objective,
    "objects": objects_objective,
    "points": point_objective,
    "regions": regions_objective,
    "single": single_object_objective,
    "ssd": ssd_objective,
    "strip": strip_objective,
    "yolov3": yolov3_objective,
}
"""Builders of objectives from a recipe and the ``--data`` of the command line."""


def make_objective(config: TrainConfig, data_specs: Sequence[str]) -> Objective:
    """Build the objective of a recipe.

    Raises:
        DatasetError: if the recipe's family is unknown, the recipe is wrong, or the data can't be
            read or used.
        WeightsError: if the weights to start from can't be read, or don't fit; if a search needs
            scikit-image, which isn't installed.
        RecordingError: if proposals can't be written.
    """
    if config.family not in FAMILIES:
        raise DatasetError(
            f"A recipe's family is one of {', '.join(sorted(FAMILIES))}, got {config.family!r}."
        )
    objective = FAMILIES[config.family](config, data_specs)
    try:  # a file with such a description couldn't be opened
        checked(objective.detector.spec, f"{config.model} of these data", "Correct the names.")
    except WeightsError as error:
        raise DatasetError(str(error)) from error
    return objective
