"""Shapes and counts of networks: the published files' own, and limits."""

import pytest

from kpviewer.models.networks.darknet.cfg import parse_cfg
from kpviewer.models.networks.darknet.shapes import (
    backbone_length,
    layer_shapes,
    weight_counts,
    yolo_maps,
)
from kpviewer.models.networks.darknet.standard import darknet53, tiny

HEADER_BYTES = 20
HEAD = "[conv]\nfilters=6\n[yolo]\nanchors=8,8\nclasses=1\n"


def test_the_standard_networks_have_the_size_of_the_published_files():
    # yolov3.weights has 248,007,048 bytes, yolov3-tiny.weights 35,434,956,
    # darknet53.conv.74 has 162,482,580
    assert HEADER_BYTES + 4 * sum(weight_counts(darknet53(80))) == 248_007_048
    assert HEADER_BYTES + 4 * sum(weight_counts(tiny(80))) == 35_434_956
    assert HEADER_BYTES + 4 * sum(weight_counts(darknet53(80))[:74]) == 162_482_580


def test_the_maps_of_yolov3_are_fine_to_coarse_with_their_anchors():
    maps = yolo_maps(darknet53(80))
    assert [(each.layer, each.stride) for each in maps] == [(105, 8), (93, 16), (81, 32)]
    assert maps[0].sizes_wh == ((10, 13), (16, 30), (33, 23))
    assert maps[2].sizes_wh == ((116, 90), (156, 198), (373, 326))
    assert [each.stride for each in yolo_maps(tiny(2))] == [16, 32]


def test_the_backbone_ends_before_the_layers_of_detection():
    assert backbone_length(darknet53(80)) == 75
    assert backbone_length(tiny(80)) == 13


def test_windows_are_counted_as_in_darknet():
    text = "[net]\nwidth=13\nheight=13\n[max]\nsize=2\nstride=2\n[max]\nsize=2\nstride=1\n"
    text += "[max]\nsize=5\nstride=1\n[conv]\nsize=3\nstride=2\nfilters=4\n"
    # (13 + 1 - 2) // 2 + 1 = 7, 7, 7, (7 - 3) // 2 + 1 = 3
    assert [each.height for each in layer_shapes(parse_cfg(text), (13, 13))] == [7, 7, 7, 3]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("[route]\nlayers=0\n", r"layer 0 \[route\] must read layers before it, got 0"),
        ("[max]\n[route]\nlayers=2\n", r"layer 1 \[route\] must read layers before it, got 2"),
        ("[max]\n[shortcut]\nfrom=-4\n", r"layer 1 \[shortcut\] must read layers .*, got -3"),
        ("[max]\nstride=2\n[route]\nlayers=0\n[shortcut]\nfrom=-3\n", r"got -1"),
        (HEAD + "[max]\n", r"layer 2 \[maxpool\] must not read layer 1 \[yolo\]"),
        ("[conv]\nfilters=2\n[conv]\n[shortcut]\nfrom=-2\n", r"layer 2 \[shortcut\]: its maps"),
        ("[max]\n[max]\nstride=2\n[route]\nlayers=0,1\n", r"layer 2 \[route\]: its maps must be"),
        ("[conv]\nfilters=3\n[route]\nlayers=0\ngroups=2\n", r"3 channels have no part 0 of 2"),
        ("[conv]\nfilters=4\n[route]\nlayers=0\ngroups=2\ngroup_id=2\n", r"no part 2 of 2"),
        ("[conv]\ngroups=2\n", r"layer 0 \[convolutional\]: groups=2 must divide 3 channels"),
        ("[conv]\nsize=31\n" + HEAD, r"a map of 16x32 is smaller than its window"),
        ("[max]\nsize=2\npadding=2\n" + HEAD, r"layer 0 \[maxpool\]: padding must be below size"),
        ("[conv]\nfilters=65536\n[upsample]\nstride=32\n", r"layer 1 .* too many values"),
        ("[upsample]\nstride=4\n" * 12, r"too many values"),
        (HEAD.replace("classes=1", "classes=2"), r"layer 1 \[yolo\]: 1 anchors and 2 classes re"),
        (HEAD.replace("8,8", "8,8,8"), r"anchors must have two values for each of num=1, got 3"),
        (HEAD.replace("classes", "mask=1\nclasses"), r"mask must name anchors 0 to 0, got 1"),
        ("[max]\nstride=3\n" + HEAD, r"an input of 16x32 px doesn't divide into 6x11 cells"),
        ("[max]\n", r"it has no \[yolo\] layer"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        yolo_maps(parse_cfg("[net]\nwidth=16\nheight=32\n" + layers))


def test_too_many_weights_are_counted_not_allocated():
    text = (
        "[net]\nwidth=32\nheight=32\n[conv]\nfilters=65536\n[conv]\nfilters=65536\nsize=3\npad=1\n"
    )
    with pytest.raises(ValueError, match="it has 38,655,0"):
        weight_counts(parse_cfg(text))


def test_a_network_without_convolutions_has_no_backbone():
    text = (
        "[net]\nwidth=32\nheight=32\n[max]\n[route]\nlayers=0,0\n[yolo]\nanchors=8,8\nclasses=1\n"
    )
    with pytest.raises(ValueError, match=r"must have a \[convolutional\] layer"):
        backbone_length(parse_cfg(text))
