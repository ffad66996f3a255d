"""`.cfg` files: what Darknet reads is read, and anything else is refused with the layer's name."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpviewer.models.networks.darknet.blocks import (
    Activation,
    Convolutional,
    DarknetCfg,
    MaxPool,
    Net,
    Route,
    Shortcut,
    Upsample,
    Yolo,
)
from kpviewer.models.networks.darknet.cfg import cfg_text, parse_cfg
from kpviewer.models.networks.darknet.standard import darknet53, tiny

TEXT = """\
# a comment
[net]
; another
batch = 64
width=64   # of the input
height = 96
channels=3
learning_rate=.001

[convolutional]
batch_normalize=1
filters = 8
size=3
stride=2
pad=1
activation=leaky

[ shortcut ]
from = -1
activation=linear

[route]
layers = -1, 0

[maxpool]
size=2
stride=1

[upsample]
stride=2

[convolutional]
filters=14
activation=linear

[yolo]
mask = 1,2
anchors = 10,13,  16,30.5,  .5e2,23,
classes=2
num=3
ignore_thresh = .7
"""


def test_sections_are_read_as_darknet_reads_them():
    assert parse_cfg(TEXT) == DarknetCfg(
        Net(64, 96),
        (
            Convolutional(1, 8, 3, 2, 1, activation=Activation.LEAKY),
            Shortcut((-1,)),
            Route((-1, 0)),
            MaxPool(1, 2),
            Upsample(2),
            Convolutional(filters=14, activation=Activation.LINEAR),
            Yolo((10, 13, 16, 30.5, 50, 23), 2, 3, (1, 2), 0.7),
        ),
    )


def test_values_that_a_section_lacks_are_darknets_defaults():
    cfg = parse_cfg("[net]\nwidth=32\nheight=32\n[conv]\n[max]\nstride=3\n[yolo]\nanchors=1,2\n")
    convolution, pool, yolo = cfg.layers
    assert convolution == Convolutional(0, 1, 1, 1, 0, 0, 1, 1, Activation.LOGISTIC)
    assert (pool.size_px, pool.padding_px) == (3, 2)
    assert (yolo.classes, yolo.sizes_wh(), yolo.scale_x_y) == (20, ((1, 2),), 1)


def test_the_first_of_two_equal_keys_counts():
    assert parse_cfg("[net]\nwidth=64\nwidth=32\nheight=32\n").net.width == 64


def test_unknown_keys_are_reported_and_those_of_training_are_not():
    cfg = parse_cfg("[net]\nwidth=32\nheight=32\nmomentum=.9\n[conv]\nfancy=1\nfilters=2\n")
    assert cfg.ignored == ("[conv] fancy",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[net]", "[convolutional]", r"first section must be \[net\]"),
        ("width=64 ", "width=1000000000 ", r"\[net\]: width must be a whole number, at most"),
        ("width=64 ", "width=9999999999999999999999 ", r"\[net\]: width must be a whole number"),
        ("width=64 ", "", r"\[net\]: it lacks 'width'"),
        ("channels=3", "channels=1", r"channels must be 3, got 1"),
        ("filters = 8", "filters=1000000000", r"layer 0 \[convolutional\], line 10: filters must"),
        ("filters = 8", "filters=-1", r"layer 0 .*: filters must be a whole number, at least 1"),
        ("filters = 8", "filters=many", r"filters must be a whole number, got 'many'"),
        ("size=3", "size=3000", r"layer 0 .*: size must be"),
        ("activation=leaky", "activation=elu", r"layer 0 .* one of leaky, linear, .*, got 'elu'"),
        ("[route]", "[reorg]", r"layer 2 \[reorg\], line 22, is none of convolutional, maxpool"),
        ("10,13,", "ten,13,", r"layer 6 \[yolo\], line 36: anchors\[0\] must be a number"),
        ("10,13,", "nan,13,", r"anchors\[0\] must be a number, got 'nan'"),
        ("10,13,", "1e999,13,", r"anchors\[0\] must be a number, got '1e999'"),
        ("10,13,", "-10,13,", r"anchors\[0\] must be a number, above 0"),
        ("layers = -1, 0", "layers=", r"layer 2 \[route\], line 22: layers\[0\] must be"),
        ("layers = -1, 0", "", r"layer 2 \[route\], line 22: it lacks 'layers'"),
        ("from = -1", "from=-1,-1000000000", r"layer 1 .*: from\[1\] must be"),
        ("stride=2\npad", "stride_x=2\npad", r"layer 0 .*: stride_x=2 isn't supported"),
        ("classes=2", "classes=2\nnew_coords=1", r"layer 6 .*: new_coords=1 isn't supported"),
        ("batch = 64", "batch", r"line 4 must be a section or key=value, got 'batch'"),
    ],
)
def test_what_kpviewer_cannot_compute_is_refused(old, new, message):
    assert TEXT.count(old) >= 1
    with pytest.raises(ValueError, match=message) as refusal:
        parse_cfg(TEXT.replace(old, new, 1))
    assert "\n" not in str(refusal.value)


def test_endless_layers_are_refused():
    with pytest.raises(ValueError, match="it has 1,001 layers, at most 1,000"):
        parse_cfg("[net]\nwidth=32\nheight=32\n" + "[upsample]\n" * 1001)


@pytest.mark.parametrize("cfg", [parse_cfg(TEXT), darknet53(3), tiny(80)], ids=["text", "53", "t"])
def test_what_is_written_is_read_as_the_same(cfg):
    assert parse_cfg(cfg_text(cfg)) == cfg


def test_anchors_keep_every_digit():
    cfg = DarknetCfg(Net(32, 32), (Yolo((0.1 + 0.2, 1 / 3), 1, 1),))
    assert parse_cfg(cfg_text(cfg)) == cfg


WORDS = ["[net]", "[yolo]", "[", "]", "=", "#", ",", "-1", "1e9", "width", "mask=", "\n", "\x00"]


@settings(max_examples=60)
@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 30),
    st.one_of(st.text(max_size=20), st.sampled_from(WORDS)),
)
def test_any_text_is_read_or_refused(at, removed, inserted):
    text = TEXT[:at] + inserted + TEXT[at + removed :]
    try:
        assert msgspec.structs.fields(parse_cfg(text))
    except ValueError as error:
        assert len(str(error)) < 400
