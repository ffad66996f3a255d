"""`.cfg` files of Darknet, from text and back.

Lines are read as Darknet's src/parser.c and option_list.c read them: spaces mean nothing, the first
of two equal keys counts, and lines from ``#`` or ``;`` on are comments. Keys that only training
uses are left out. Keys that would change the output in a way that kpviewer doesn't compute are
refused.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from kpviewer.errors import WeightsError
from kpviewer.models.networks.darknet.blocks import (
    MAX_LAYERS,
    SECTIONS,
    Activation,
    DarknetCfg,
    Layer,
    Net,
    section_of,
)
from kpviewer.models.tables import converted, shown

LISTS = frozenset({"anchors", "from", "layers", "mask"})
"""Keys whose value is a list, also of one item."""

_SWITCHES = """
    antialiasing bin_output binary cbn clip coordconv dontload dontloadscales flipped maxpool_depth
    new_coords rotate stretch stretch_sway sway xnor
"""
PLAIN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_SWITCHES.split(), ("0",)),
    **dict.fromkeys(("map", "share_index", "stride_x", "stride_y"), ()),
    "scale": ("1", "1.", "1.0"),
    "weights_type": ("none",),
}
"""Keys that change a network's output, with the values at which they don't."""

_TRAINING = """
    B1 B2 adam angle aspect assisted_excitation attention augment_speed batch batches_per_cycle
    beta_nms blur burn_in burnin_update cls_normalizer contrastive counters_per_class cutmix decay
    delta_normalizer dont_update dynamic_minibatch ema_alpha embedding_layer eps equidistant_point
    exposure flip focal_loss gamma gaussian_noise hue inputs iou_loss iou_normalizer iou_thresh
    iou_thresh_kind jitter label_smooth_eps learning_rate learning_rate_min letter_box loss_scale
    max max_batches max_chart_loss max_crop max_delta min_crop mixup momentum mosaic mosaic_bound
    nms_kind obj_normalizer objectness_smooth onlyforward optimized_memory out_channels policy power
    random resize resize_step saturation scales seq_scales sequential_subdivisions
    sgdr_cycle sgdr_mult show_receptive_field step steps stopbackward subdivisions time_steps track
    truth_thresh try_fix_nan uc_normalizer weights_normalization weights_normalizion
    workspace_size_limit_MB
"""
TRAINING = frozenset(_TRAINING.split())
"""Keys without effect on the output: those of training, and of NMS, which kpviewer's user sets."""


T = TypeVar("T", bound=msgspec.Struct)

MAX_BYTES = 512 * 1024
"""Largest `.cfg`; that of the largest YOLOv4 has 30 kB."""
_COMMENT = re.compile("[#;].*")
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_MOST_IGNORED = 20
_RARE = frozenset({"padding", "dilation", "groups", "group_id", "batch_normalize", "scale_x_y"})
"""Fields that are written only if they differ from Darknet's default."""
_CHOICES = tuple(name for name in SECTIONS if name not in ("conv", "max"))


@dataclass(slots=True)
class _Section:
    name: str
    line: int
    values: dict[str, str] = field(default_factory=dict)


def read_cfg(path: Path) -> DarknetCfg:
    """Read a `.cfg` file.

    Raises:
        WeightsError: if it is too large, or isn't one that kpviewer reads.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES // 1024} kB")
        return parse_cfg(path.read_bytes().decode("utf-8-sig", "replace"))
    except OSError as error:
        raise WeightsError(f"{path.name} can't be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise WeightsError(
            f"{path.name} isn't a Darknet cfg that kpviewer reads: {error}."
        ) from error


def parse_cfg(text: str) -> DarknetCfg:
    """Parse the text of a `.cfg` file.

    Raises:
        ValueError: naming the layer, its line and what is wrong.
    """
    sections = list(_sections(text))
    if not sections or sections[0].name not in ("net", "network"):
        raise ValueError("its first section must be [net]")
    if len(sections) - 1 > MAX_LAYERS:
        raise ValueError(f"it has {len(sections) - 1:,} layers, at most {MAX_LAYERS:,}")
    ignored: dict[str, None] = {}
    net = _parsed("[net]", sections[0], Net, ignored)
    if net.channels != 3:
        raise ValueError(f"[net]: channels must be 3, got {net.channels}")
    layers: list[Layer] = []
    for index, section in enumerate(sections[1:]):
        name = f"layer {index} [{section.name}], line {section.line}"
        if section.name not in SECTIONS:
            raise ValueError(f"{name}, is none of {', '.join(_CHOICES)}")
        layers.append(_parsed(name, section, SECTIONS[section.name], ignored))
    return DarknetCfg(net, tuple(layers), tuple(ignored)[:_MOST_IGNORED])


def _sections(text: str) -> Iterator[_Section]:
    current: _Section | None = None
    for number, line in enumerate(text.splitlines(), 1):
        line = "".join(_COMMENT.sub("", line).split())  # noqa: PLW2901 - as Darknet strips it
        if line.startswith("["):
            if current is not None:
                yield current
            current = _Section(_cut(line.strip("[]")), number)
            continue
        if not line:
            continue
        key, equals, value = line.partition("=")
        if current is None or not equals:
            raise ValueError(f"line {number} must be a section or key=value, got {shown(line)}")
        current.values.setdefault(key, value)
    if current is not None:
        yield current


def _parsed(name: str, section: _Section, kind: type[T], ignored: dict[str, None]) -> T:
    """Convert a section; collect the keys that nobody knows."""
    keys = {each.encode_name for each in msgspec.structs.fields(kind)}
    table = {}
    for key, text in section.values.items():
        if key in keys:
            table[key] = _value(key, text)
        elif key in PLAIN and text not in PLAIN[key]:
            raise ValueError(f"{name}: {_cut(key)}={_cut(text)} isn't supported")
        elif key not in PLAIN and key not in TRAINING:
            ignored[f"[{section.name}] {_cut(key)}"] = None
    activation = table.get("activation")
    if activation is not None and activation not in list(Activation):
        raise ValueError(f"{name}: activation must be one of {', '.join(Activation)}, got "
                         f"{shown(activation)}")  # fmt: skip
    try:
        return converted(table, kind)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _value(key: str, text: str) -> object:
    """Return the text of a value as a number, a list of numbers, or as it is."""
    if key in LISTS:
        return [_number(part) for part in text.removesuffix(",").split(",")]
    return _number(text)


def _number(text: str) -> int | float | str:
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


def _cut(text: str) -> str:
    """Return a word of the file for a message."""
    return shown(text)[1:-1]


def cfg_text(cfg: DarknetCfg) -> str:
    """Return the text of a `.cfg` file, from which ``parse_cfg`` makes the same."""
    parts = [_section_text("net", cfg.net, "batch=1\nsubdivisions=1\n")]
    parts += [_section_text(section_of(layer), layer) for layer in cfg.layers]
    return "\n".join(parts)


def _section_text(name: str, block: msgspec.Struct, first: str = "") -> str:
    lines = [f"[{name}]\n{first}"]
    for each in msgspec.structs.fields(block):
        value = getattr(block, each.name)
        if value is not None and (value != each.default or each.name not in _RARE):
            lines.append(f"{each.encode_name}={_text(value)}\n")
    return "".join(lines)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
