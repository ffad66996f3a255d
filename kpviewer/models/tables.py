"""Tables of JSON and TOML as dataclasses: every value of the type and in the range that it must be.

Files come from anywhere. Nothing of one is used before its size, its types and its ranges
(``models.limits``) are checked here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from kpviewer.errors import WeightsError

T = TypeVar("T")

MAX_TOML_BYTES = 512 * 1024
MAX_JSON_CHARACTERS = 4 * 1024**2
UNREADABLE = (ValueError, OverflowError, RecursionError, MemoryError)
"""What parsers raise at texts that are wrong, or too much."""

_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<place>.*)`)?")
_EXPECTED = re.compile(r"Expected `(?P<kind>[^`]+)`(?P<limit>[^,]*)(?:, got `?(?P<got>[^`]+)`?)?")
_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
_SHOWN = 60


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file of a few lines.

    Raises:
        WeightsError: if it is no regular file of TOML, or too large.
    """
    try:
        if not path.is_file():
            raise WeightsError(f"{path.name} must be a file. Check the path.")
        if path.stat().st_size > MAX_TOML_BYTES:
            raise WeightsError(
                f"{path.name} is larger than {MAX_TOML_BYTES // 1024} kB: no description of a "
                "model. Shorten or remove it."
            )
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise WeightsError(f"{path.name} can't be read: {error.strerror or error}.") from error
    except UNREADABLE as error:
        raise WeightsError(
            f"{path.name} can't be used: it must be TOML ({first_line(error)})."
        ) from error


def decode_json(text: str) -> Any:
    """Decode JSON text.

    Raises:
        ValueError: if it isn't JSON, too long, or nested too deeply.
    """
    if len(text) > MAX_JSON_CHARACTERS:
        raise ValueError(f"it has {len(text):,} characters, at most {MAX_JSON_CHARACTERS:,}")
    try:
        return msgspec.json.decode(text)
    except (RecursionError, MemoryError) as error:
        raise ValueError("it is nested too deeply") from error


def converted(table: object, kind: type[T]) -> T:
    """Make a dataclass of a table; keys that it doesn't have are left out.

    Raises:
        ValueError: if a value is missing, of another type or out of its range, in words.
    """
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(str(error), table, kind)) from error
    except (RecursionError, MemoryError, OverflowError) as error:
        raise ValueError(f"it can't be read: {first_line(error)}") from error


def check_keys(table: object, kind: type[Any], what: str) -> None:
    """Check that a table has no key that a dataclass hasn't.

    Raises:
        ValueError: naming the first such key.
    """
    if not isinstance(table, dict):
        raise ValueError(f"{what} must be there as a table")
    known = [each.name for each in fields(kind)]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ValueError(f"{what} has no {shown(unknown[0])}; it has {', '.join(known)}")


def first_line(error: BaseException) -> str:
    """Return the beginning of an error's words, or its name where it has none."""
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, and short."""
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except (ValueError, RecursionError):  # of a number with thousands of digits, or deep lists
        return f"a {type(value).__name__}"
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _in_words(message: str, table: object, kind: type[Any]) -> str:
    """Turn what msgspec says into what people write into such files."""
    parts = _MESSAGE.fullmatch(message)
    assert parts is not None
    what, place = parts["what"], parts["place"] or ""
    if what.startswith("Object missing required field"):
        return f"it lacks {what.split('`')[1]!r}"
    value = shown(_value_at(table, place))
    name = place or "it"
    choices = _choices(kind, place)
    if choices:
        return f"{name} must be one of {', '.join(choices)}, got {value}"
    expected = _EXPECTED.fullmatch(what)
    if expected is None:  # such as "Number out of range"
        return f"{name}: {what}, got {value}"
    wanted, limit = expected["kind"].removesuffix(" | null"), expected["limit"].strip()
    if limit.startswith("of length"):
        unit = "characters" if wanted == "str" else "values"
        bounds = limit.removeprefix("of length").replace("<=", "at most").replace(">=", "at least")
        return f"{name} must have {bounds.strip()} {unit}, got {_length(table, place)}"
    for sign, words in ((">=", "at least"), ("<=", "at most"), ("<", "below"), (">", "above")):
        limit = limit.replace(sign, words)
    kinds = " or ".join(_KINDS.get(each, each) for each in wanted.split(" | "))
    return f"{name} must be {kinds}{', ' + limit if limit else ''}, got {value}"


def _value_at(table: object, place: str) -> object:
    """Return the value at a place such as ``output.mean[0]``; the nearest around it where lost."""
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place):
        if isinstance(table, Mapping) and key in table:
            table = table[key]
        elif isinstance(table, list | tuple) and index and int(index) < len(table):
            table = table[int(index)]
        else:
            break
    return table


def _length(table: object, place: str) -> str:
    value = _value_at(table, place)
    return f"{len(value):,}" if isinstance(value, list | tuple | str) else shown(value)


def _choices(kind: Any, place: str) -> list[str]:
    """Return the values that are allowed at a place, where they are few; else none."""
    hinted: Any = kind
    for key in re.findall(r"[A-Za-z_]\w*", place):
        kinds = (hinted, *get_args(hinted))
        hinted = next((get_type_hints(each).get(key) for each in kinds if is_dataclass(each)), None)
    found: list[str] = []
    for each in (hinted, *get_args(hinted)):
        if get_origin(each) is Literal:
            found += map(str, get_args(each))
        elif isinstance(each, type) and issubclass(each, Enum):
            found += [str(member.value) for member in each]
    return ["true", "false", *found] if found and bool in get_args(hinted) else found
