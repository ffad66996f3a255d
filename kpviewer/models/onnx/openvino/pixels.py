"""Normalisation of pixels in a graph that OpenVINO has read, whose input then takes pixels.

Convolutions in 8-bit integers read images with channels last, as they come: the rounded input of
the first one is computed in that order, so that no value moves. What else reads the image takes its
planes, which the host splits in a tenth of the time.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kpviewer.models.libraries.inference import library


class PixelInput(NamedTuple):
    """Normalisation that becomes part of the graph, whose input then takes pixels."""

    port: str
    """Name of the input: (B, 3, H, W) float before, (B, H, W, 3) RGB in [0, 255] after."""
    mean: tuple[float, float, float]
    """Mean by channel, R, G, B, of pixels in [0, 1]; like ``std``."""
    std: tuple[float, float, float]
    is_bgr: bool
    """Whether the model takes blue, green, red."""
    split: Callable[[NDArray[Any]], NDArray[Any]]
    """Function from (B, H, W, 3) pixels to their planes, (B, 3, H, W)."""


class _Readers(NamedTuple):
    """Inputs of nodes that read an image."""

    rounding: list[tuple[Any, int]]
    """Nodes that round all channels alike, and the number of the input of each."""
    others: list[tuple[Any, int]]


def with_normalisation(model: Any, pixels: PixelInput, example: NDArray[Any]) -> Any:
    """Return a model whose input takes pixels of the type and shape of ``example``.

    Where the model reads planes, too, they are its last input.
    """
    readers = _readers(model, pixels)
    model = _from_pixels(model, pixels, example)
    if all(readers):
        planes = library("openvino").opset13.parameter(
            (example.shape[0], 3, *example.shape[1:3]), example.dtype
        )
        model.add_parameters([planes])
        normalised = _normalised(planes, pixels, (1, 3, 1, 1))
        for node, index in readers.others:
            node.input(index).replace_source_output(normalised.output(0))
    for node, _ in readers.rounding:
        _round_rows(node, model.input(pixels.port), pixels)
    return model


def _from_pixels(model: Any, pixels: PixelInput, example: NDArray[Any]) -> Any:
    openvino, preprocess = library("openvino"), library("openvino.preprocess")
    processor = preprocess.PrePostProcessor(model)
    given = processor.input(pixels.port)
    given.tensor().set_element_type(openvino.Type(example.dtype))
    given.tensor().set_layout(openvino.Layout("NHWC"))
    given.model().set_layout(openvino.Layout("NCHW"))
    steps = given.preprocess()
    steps.convert_layout(openvino.Layout("NCHW"))  # of bytes: four times less to move
    steps.convert_element_type(openvino.Type.f32)
    if any(pixels.mean):
        steps.mean([255 * value for value in pixels.mean])
    steps.scale([255 * value for value in pixels.std])
    if pixels.is_bgr:
        steps.reverse_channels()
    return processor.build()


def _readers(model: Any, pixels: PixelInput) -> _Readers:
    """Return what reads the image; colours in another order are never read as they come."""
    readers = _Readers([], [])
    for each in model.input(pixels.port).get_target_inputs():
        node = each.get_node()
        if node.get_type_name() == "ShapeOf":
            continue
        limits = node.input_values()[1:]
        is_rounding = node.get_type_name() == "FakeQuantize" and not pixels.is_bgr
        is_rounding &= all(math.prod(limit.get_shape()) == 1 for limit in limits)
        (readers.rounding if is_rounding else readers.others).append((node, each.get_index()))
    return readers


def _round_rows(node: Any, rows: Any, pixels: PixelInput) -> None:
    """Replace the rounded planes of an image by its rounded rows in another order."""
    operators, width = library("openvino").opset13, rows.get_shape()[2]
    readers = node.output(0).get_target_inputs()
    # constants for a whole row: for three channels, no two pixels are computed together
    normalised = _normalised(rows, pixels, (1, 1, width, 3))
    limits, levels = node.input_values()[1:], node.get_attributes()["levels"]
    rounded = operators.fake_quantize(normalised, *limits, levels)
    planes = operators.transpose(rounded, np.array([0, 3, 1, 2]))
    for reader in readers:
        reader.replace_source_output(planes.output(0))


def _normalised(values: Any, pixels: PixelInput, shape: tuple[int, ...]) -> Any:
    """Return normalised pixels, by constants that are repeated to a shape."""
    operators = library("openvino").opset13
    mean, std = (np.array(each, np.float32) * 255 for each in (pixels.mean, pixels.std))
    shifts, scales = (np.resize(each, shape) for each in (mean, std))
    shifted = operators.subtract(operators.convert(values, "f32"), shifts)
    return operators.divide(shifted, scales)
