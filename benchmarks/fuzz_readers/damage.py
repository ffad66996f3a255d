"""Damage to values, bytes and texts, by a generator of random numbers."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 0.5, 1.5, -0.0, 255, 65_536, 2**31, 2**63, 10**12, 10**400,
    1e308, 1e-308, float("nan"), float("inf"), float("-inf"), "", "x", "0", "\x00", "\ud800",
    "\u202e", "x\ny", "<img src=x>", "x" * 5_000, [], {}, [[]], [None], [1], [[0, 1, 2]], [-1, -9],
    {"x": 1},
)  # fmt: skip


def odd_value(random: Random) -> Any:
    """Return a value that few readers expect; rarely a large one."""
    if random.random() < 0.9:
        return random.choice(ODD_VALUES)
    large: tuple[Callable[[], Any], ...] = (
        lambda: ["x"] * 100_000,
        lambda: [[0, 1]] * 100_000,
        lambda: "x" * 1_000_000,
        lambda: [30_000, 30_000],
        lambda: [10**9, 10**9],
        lambda: nested(random.choice([50, 900, 20_000])),
    )
    return random.choice(large)()


def nested(depth: int) -> Any:
    """Return nested lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def json_text(value: Any) -> str:
    """Return a value as JSON, even if it is nested too deeply for the library."""
    try:
        return json.dumps(value)
    except RecursionError:
        return "[" * 20_000 + "]" * 20_000


def literal_text(value: Any) -> str:
    """Return a value as Python's repr, even if it is nested too deeply for repr."""
    try:
        return str(value)
    except RecursionError:
        return "[" * 20_000 + "]" * 20_000


def damaged_value(value: Any, random: Random) -> Any:
    """Change one item of a JSON value, at any depth."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        changed = dict(value)
        fate = random.random()
        if fate < 0.1:
            del changed[key]
        elif fate < 0.15:
            changed[str(random.choice(ODD_VALUES))[:50]] = changed.pop(key)
        else:
            changed[key] = damaged_value(value[key], random)
        return changed
    if isinstance(value, list) and value and random.random() < 0.6:
        place = random.randrange(len(value))
        part = [damaged_value(value[place], random)]
        part *= random.choice([0, 1, 1, 1, 2])
        return [*value[:place], *part, *value[place + 1 :]]
    if isinstance(value, int | float) and not isinstance(value, bool) and random.random() < 0.4:
        return random.choice([-value, value * 1000, value + 0.5, value + 1, value - 1, str(value)])
    return odd_value(random)


def damaged_bytes(data: bytes, random: Random) -> bytes:
    """Flip, cut, duplicate or insert bytes at a few positions."""
    changed = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 8])):
        place = random.randrange(len(changed) + 1)
        span = slice(place, place + random.choice([1, 4, 40]))
        match random.randrange(5):
            case 0:
                changed[span] = random.randbytes(len(changed[span]))
            case 1:
                del changed[place:]
            case 2:
                changed[place:place] = changed[span] * random.choice([1, 2, 50])
            case 3:
                changed[place:place] = random.choice(_ODD_BYTES)
            case _:
                del changed[span]
    return bytes(changed)


_ODD_BYTES = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"-", b"'", b'"', b"[" * 500, b"{",
    b"&a [*a, *a]", b"9" * 5_000, b"NaN", b"1e999", b"\r", b"\n" * 50, b"\t", b"%20", b";", b"/",
)  # fmt: skip


def damaged_text(text: str, random: Random) -> bytes:
    """Damage a text like ``damaged_bytes``, or move, duplicate and remove lines."""
    if random.random() < 0.6:
        return damaged_bytes(text.encode(), random)
    lines = text.splitlines(keepends=True)
    place, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(3):
        case 0:
            lines[place] = lines[other]
        case 1:
            lines[place:place] = lines[other : other + 1] * random.choice([1, 3, 300])
        case _:
            del lines[place]
    return "".join(lines).encode()
