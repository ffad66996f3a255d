"""Values of recipes have the right type and range; the train command refuses others in one line."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import pytest
from click.testing import CliRunner
from msgspec import Meta
from training.coloured_blocks import write_blocks

from kpviewer.cli.main import main
from kpviewer.errors import DatasetError
from kpviewer.training.config import TrainConfig, family_options, load_config
from kpviewer.training.data import feed
from kpviewer.training.data.feed import worker_notes
from kpviewer.training.families.multilabel import MultilabelOptions
from kpviewer.training.families.objects import ObjectsOptions
from kpviewer.training.families.points import PointOptions
from kpviewer.training.families.regions import RegionsOptions
from kpviewer.training.families.registry import FAMILIES
from kpviewer.training.families.single_object import SingleObjectOptions
from kpviewer.training.families.ssd import SsdOptions
from kpviewer.training.families.strip import StripOptions
from kpviewer.training.families.yolov3 import YoloOptions
from kpviewer.training.run import train

OPTIONS = {
    "multilabel": MultilabelOptions,
    "objects": ObjectsOptions,
    "points": PointOptions,
    "regions": RegionsOptions,
    "single": SingleObjectOptions,
    "ssd": SsdOptions,
    "strip": StripOptions,
    "yolov3": YoloOptions,
}
RECIPES = sorted(
    each.name.removesuffix(".toml")
    for each in (resources.files("kpviewer.training") / "recipes").iterdir()
)
TABLES = {"train": TrainConfig, **OPTIONS}
"""Tables of values that a recipe may have: those of all recipes, and those of its family."""


def fields_of(kind: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys of a table and of those within it, each with its type."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if (kind, name) == (TrainConfig, "options"):
            continue
        yield place + name, hint
        if dataclasses.is_dataclass(hint):
            yield from fields_of(hint, f"{place}{name}.")


WRONG: dict[Any, list[Any]] = {
    str: [{}, [], 3, 0.5, True],
    bool: [{}, [], 3, "perhaps"],
    int: [{}, [], 1.5, "many", True],
    float: [{}, [], "fast", True],
    Literal: [{}, [], 3, "no-such-value"],
}
"""Values that aren't of a type."""


def wrong_types(hint: Any) -> list[Any]:
    """Return values that aren't of a type."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return wrong_types(inner[0])
    if origin is tuple:
        items = [wrong for wrong in wrong_types(inner[0]) if not isinstance(wrong, list)]
        return [{}, 0.5, "x", *([wrong, wrong] for wrong in items)]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return [3, *({"x": wrong} for wrong in wrong_types(inner[1]))]
    if dataclasses.is_dataclass(hint):
        return [3, "x"]
    return WRONG.get(origin or hint, [{}, 0.5])  # the last is for unions


def out_of_range(hint: Any) -> list[Any]:
    """Return values beyond each limit of a type."""
    if get_origin(hint) is tuple:
        return [[wrong, wrong] for wrong in out_of_range(get_args(hint)[0])]
    if get_origin(hint) is not Annotated:
        return []
    meta = next(each for each in get_args(hint) if isinstance(each, Meta))
    beyond = [(meta.ge, -1), (meta.le, 1), (meta.gt, 0), (meta.lt, 0)]
    return [limit + step for limit, step in beyond if limit is not None]


def refused(recipe: str, key: str, value: Any, folder: Path) -> str | None:
    """Return what is wrong with how ``train`` refuses a value; None if nothing is."""
    item = key
    if isinstance(value, dict) and value:
        ((name, value),) = value.items()
        item = f"{key}.{name}"
    text = "{}" if value == {} else json.dumps(value)
    arguments = ["train", recipe, "--data", "demo", "--out", str(folder), "--device", "cpu"]
    result = CliRunner().invoke(main, [*arguments, "--set", f"{item}={text}"])
    lines = result.output.splitlines()
    if result.exit_code == 5 and len(lines) == 1 and key in lines[0]:
        return None
    return f"{item}={text}: {result.exit_code} {result.output!r}"


def test_every_family_has_options_here():
    assert set(OPTIONS) == set(FAMILIES)


@pytest.mark.parametrize("values_of", [wrong_types, out_of_range])
@pytest.mark.parametrize("table", TABLES)
def test_invalid_values_are_refused_in_one_line(table, values_of, tmp_path):
    recipe = next(each for each in RECIPES if table in ("train", load_config(each).family))
    bad = [
        problem
        for key, hint in fields_of(TABLES[table])
        for value in values_of(hint)
        if (problem := refused(recipe, key, value, tmp_path))
    ]
    assert bad == []
    assert not any(tmp_path.iterdir())  # nothing was begun


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("steps=many", "steps must be a whole number, got 'many'"),
        ("batch=0", "batch must be a whole number, at least 1, got 0"),
        ("learning_rate=-1", "learning_rate must be a number, above 0, got -1"),
        ("milestones=[0.5, 1.0]", r"milestones\[1\] must be a number, below 1, got 1.0"),
        ("schedule=fast", "schedule must be one of cosine, one-cycle, multistep, constant, got"),
        ("tensorboard=3", "tensorboard must be one of true, false, auto, got 3"),
        ("inputs=[[96]]", r"inputs must be sides, or pairs \[height, width\], .* got \(96,\)"),
        ("inputs=[0]", "inputs must be sides, or pairs"),
        ("input_shares=[0]", "sum must be above 0"),
        ("weight_decay=nan", "weight_decay must be a finite number, got nan"),
    ],
)
def test_a_message_names_the_key_the_value_and_what_is_allowed(change, message):
    with pytest.raises(DatasetError, match=message):
        load_config("strip-grid", [change])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("anchors=kmeans", "anchors must be one of auto, coco, a list, got 'kmeans'"),
        ("anchors=[[1, 2, 3]]", r"anchors\[0\] must have 2 values, got 3"),
        ("anchors=[[0, 2]]", r"anchors\[0\]\[0\] must be a number, above 0, got 0"),
    ],
)
def test_a_message_about_a_choice_or_a_list_says_what_is_allowed(change, message):
    with pytest.raises(DatasetError, match=message):
        family_options(YoloOptions, load_config("yolov3", [change]))


def test_a_message_about_a_table_within_the_recipe_names_both():
    config = load_config("face-points", ["loss.wing_px=0", "jitter.mirror=half"])
    with pytest.raises(DatasetError, match=r"jitter\.mirror must be a number, got 'half'"):
        family_options(PointOptions, config)
    config = load_config("face-points", ["jitter.turn=1"])
    with pytest.raises(
        DatasetError, match=r"jitter\.turn is unknown\. Known keys of \[jitter\] are colours"
    ):
        family_options(PointOptions, config)


def test_input_sizes_are_pairs_for_the_loop():
    config = load_config("strip-grid", ["inputs=[96, [64, 128]]", "input_shares=[1, 1]"])
    assert config.inputs_hw == ((96, 96), (64, 128))
    assert config.largest_input_hw == (96, 96)


@pytest.mark.parametrize("inputs", ["[8]", "[96, 100]"])
@pytest.mark.parametrize("recipe", ["light-ssd", "yolov3", "strip-grid"])
def test_an_input_that_the_network_cannot_take_is_refused_before_the_first_step(
    recipe, inputs, tmp_path
):
    shares = str([1.0] * len(json.loads(inputs)))
    config = load_config(recipe, [f"inputs={inputs}", f"input_shares={shares}", "workers=0"])
    data = "demo" if recipe == "strip-grid" else str(write_blocks(tmp_path / "data", [["red"]]))
    with pytest.raises(DatasetError, match=r"must be multiples of \d+, got"):
        train(config, [data], tmp_path / "out")


def test_more_processes_than_cores_are_noted(monkeypatch):
    monkeypatch.setattr(feed, "available_cores", lambda: 2)
    assert worker_notes(load_config("light-ssd", ["workers=2"])) == []
    (note,) = worker_notes(load_config("light-ssd", ["workers=3"]))
    assert "Try --set workers=1" in note
