"""The description of an ONNX file: saved, shipped, or recognised by a family."""

from dataclasses import replace
from pathlib import Path

from kpviewer.errors import WeightsError
from kpviewer.models.limits import clean_name
from kpviewer.models.onnx.cells import has_feature_maps
from kpviewer.models.onnx.description import (
    GUIDE,
    OnnxDescription,
    OutputKind,
    is_partial,
    read_description,
    shipped_description,
)
from kpviewer.models.onnx.facts import FileFacts, shape_text
from kpviewer.models.onnx.families import FAMILIES
from kpviewer.models.onnx.families.base import AmbiguousLayout, Recognised, Unreadable
from kpviewer.models.onnx.families.naming import own_names
from kpviewer.models.onnx.graph import Graph
from kpviewer.models.onnx.saved import description_in_settings, saved_description

_MOST_OF_ROWS = 7
"""Numbers of a detection: image, corners, score and class."""


def describe(path: Path, facts: FileFacts, layout: str | None = None) -> Recognised:
    """Return the description of an ONNX file: saved for it, else shipped, else by a family.

    Args:
        path: path of the ONNX file.
        facts: inputs, outputs and metadata.
        layout: name of the layout to use; None: the one that is certain.

    Raises:
        AmbiguousLayout: if several layouts fit and none is certain.
        WeightsError: if there is no description, it is invalid, or it contradicts the file.
    """
    saved = saved_description(path)
    partial = saved if saved is not None and is_partial(saved) else None
    if saved is not None and partial is None and layout is None:
        description = read_description(saved)
        _check_against(description, saved, facts)
        return Recognised(description, "", "")
    if partial is None:
        return _own(path, facts, layout, partial)
    # a layout that was chosen in the window is kept there, as this file isn't replaced
    kept = description_in_settings(path) if layout is None else None
    if kept is not None:
        base = read_description(kept)
    else:
        base = _own(path, facts, layout, partial).description
    return Recognised(read_description(partial, base), "", "")


def _own(path: Path, facts: FileFacts, layout: str | None, partial: Path | None) -> Recognised:
    """Return the description that needs no file, or that ``partial`` completes."""
    if layout is None and (shipped := shipped_description(facts.outputs)) is not None:
        return Recognised(shipped, "", "")
    try:
        candidates = recognised(facts)
    except Unreadable as error:
        raise WeightsError(f"{path.name} can't be read: {error}") from error
    except ValueError as error:
        raise WeightsError(
            f"{path.name} describes itself wrongly: {error}. Export it again, or write "
            f"{path.stem}.toml beside it: {GUIDE} shows how."
        ) from error
    if partial is not None and not candidates:
        read_description(partial)  # says that [output] is missing
    return _chosen(path, facts, candidates, layout)


def recognised(facts: FileFacts) -> tuple[Recognised, ...]:
    """Return the layouts that fit a file: the certain one alone, if there is one.

    Raises:
        ValueError: if the file contradicts itself or predicts what kpviewer can't show.
    """
    facts = _with_known_sides(facts)
    candidates: list[Recognised] = []
    for recognise in FAMILIES:
        for each in recognise(facts):
            if each.is_certain:
                return (each,)
            candidates.append(each)
    return tuple(candidates)


def _with_known_sides(facts: FileFacts) -> FileFacts:
    """Return facts with the sides of outputs that the graph knows and the file leaves open.

    Exports with an open size or number of images leave open rows, columns or both.
    """
    is_fixed = facts.fixed_hw is not None
    tables = {
        name: each
        for name, each in facts.outputs.items()
        if len(each) > 1 and (None in each[1:] if is_fixed else not any(each))
    }
    if not tables:
        return facts
    graph, outputs = Graph(facts.path), dict(facts.outputs)
    for name, shape in tables.items():
        known = graph.shape(name)
        if len(known) == len(shape):
            outputs[name] = tuple(own or side for own, side in zip(shape, known, strict=True))
    return replace(facts, outputs=outputs)


def _chosen(
    path: Path, facts: FileFacts, candidates: tuple[Recognised, ...], layout: str | None
) -> Recognised:
    if layout is not None:
        for each in candidates:
            if each.layout == layout:
                return each
        names = ", ".join(each.layout for each in candidates) or "none"
        raise WeightsError(f"{path.name} doesn't fit the layout {layout!r}. Fitting: {names}.")
    if not candidates and has_feature_maps(facts):
        name, shape = next(iter(facts.outputs.items()))
        raise WeightsError(
            f"{path.name} can't be read: its {len(facts.outputs)} outputs are feature maps without "
            f"decoding, such as {clean_name(name)} {shape_text(shape)}. Export it with its "
            f"decoding, and describe the boxes: {GUIDE} shows how."
        )
    if not candidates and (meaning := _without_boxes(facts)) is not None:
        ((name, shape),) = facts.outputs.items()
        raise WeightsError(
            f"{path.name} can't be read: its output {clean_name(name)} {shape_text(shape)} holds "
            f"{meaning}, and no boxes. Code of your own may read it: {GUIDE} shows how."
        )
    if not candidates:
        shapes = ", ".join(
            f"{clean_name(name)} {shape_text(shape)}"
            for name, shape in list(facts.outputs.items())[:20]
        )
        raise WeightsError(
            f"{path.name} doesn't say what its outputs mean ({shapes}). "
            f"Write {path.stem}.toml beside it: {GUIDE} shows how."
        )
    if not candidates[0].is_certain:
        raise AmbiguousLayout(path, candidates)
    return candidates[0]


def _without_boxes(facts: FileFacts) -> str | None:
    """Return what a single output holds that no description fits; None if one may fit."""
    shapes = list(facts.outputs.values())
    if len(shapes) != 1:
        return None
    batches = {1, *(port.shape[0] for port in facts.inputs if len(port.shape) == 4)}
    (shape,) = shapes
    if len(shape) == 4 and 1 not in shape[1:3]:
        return "maps, as of keypoints or masks"
    if len(shape) == 2 and shape[0] in batches and (shape[1] or 0) > _MOST_OF_ROWS:
        return "one row of numbers, as of a classifier or of landmarks in a crop"
    return None


def _check_against(description: OnnxDescription, beside: Path, facts: FileFacts) -> None:
    """Refuse a description that contradicts the file's own metadata."""
    if own_names(facts) is None:
        return
    try:
        candidates = recognised(facts)
    except ValueError:
        return  # unusable metadata is why a description was written
    if not candidates or not candidates[0].is_certain:
        return
    own, name = candidates[0], f"{facts.stem}.onnx"
    described, named = len(description.classes), len(own.description.classes)
    if described != named:
        raise WeightsError(
            f"{beside.name} names {described} classes, {name} itself {named}. Name all of "
            f"them, or remove {beside.name}."
        )
    is_rows = own.description.output.kind is OutputKind.BOXES
    if is_rows and description.output.kind is not OutputKind.BOXES:
        raise WeightsError(
            f"{beside.name} says kind = {str(description.output.kind)!r}, {name} itself: "
            f'{own.summary}. Write kind = "boxes", or remove {beside.name}.'
        )
    if description.output.kind is not own.description.output.kind:
        return
    is_in_shares = own.description.output.normalised
    if description.output.normalised != is_in_shares:
        wanted = f"normalised = {str(is_in_shares).lower()} under [output]"
    elif is_in_shares and description.resize is not own.description.resize:
        wanted = f'resize = "{own.description.resize}" above [output]'
    else:
        return
    raise WeightsError(
        f"{beside.name} contradicts {name} itself: {own.summary}. Write {wanted}, or remove "
        f"{beside.name}."
    )
