"""Conversion of JSON and TOML tables to dataclasses, with types and ranges checked.

Files may come from anywhere. Their size, types and ranges (``models.limits``) are checked here,
before any value is used.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

from kpviewer.errors import WeightsError

T = TypeVar("T")

MAX_TOML_BYTES = 512 * 1024
MAX_JSON_CHARACTERS = 4 * 1024**2
UNREADABLE = (ValueError, OverflowError, RecursionError, MemoryError)
"""Errors that parsers raise for wrong or excessive texts."""

_EXPECTED = re.compile(r"Expected `(?P<kind>[^`]+)`(?P<limit>[^,]*)(, got .*)?")
_STEP = re.compile(r"[^.\[\]]+")
"""Names and indices of a key such as ``output.mean[0]``."""
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
        WeightsError: if it isn't a regular file of TOML, or is too large.
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
    """Convert a table to a dataclass; ignore keys that it doesn't have.

    Raises:
        ValueError: if a value is missing, of the wrong type or out of range; the text is for users.
    """
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(str(error), table, kind)) from error
    except (RecursionError, MemoryError, OverflowError) as error:
        raise ValueError(f"it can't be read: {first_line(error)}") from error


def check_keys(table: object, kind: type[Any], what: str) -> None:
    """Check that a table has only keys of a dataclass.

    Raises:
        ValueError: naming the first such key.
    """
    if not isinstance(table, dict):
        raise ValueError(f"{what} must be there as a table")
    known = [each.name for each in own_fields_first(kind)]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ValueError(f"{what} has no {shown(unknown[0])}; it has {', '.join(known)}")


def own_fields_first(kind: type[Any]) -> list[Field[Any]]:
    """Return the fields of a dataclass: those of its own, then inherited ones."""
    return sorted(fields(kind), key=lambda each: each.name not in kind.__annotations__)


def changed_fields(values: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that aren't the default, as JSON and TOML have them."""
    table = {}
    for each in own_fields_first(type(values)):
        value = getattr(values, each.name)
        if value not in (None, each.default) and value != {}:
            table[each.name] = msgspec.to_builtins(value)
    return table


def first_line(error: BaseException) -> str:
    """Return the first line that says something of an error, shortened, or else its class.

    OpenVINO's errors begin with the places in its source.
    """
    lines = (line for line in str(error).splitlines() if not line.startswith("Exception from "))
    return next(lines, "")[:200] or type(error).__name__


def shown(value: object) -> str:
    """Return a value as text for a message: on one line, and short."""
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except (ValueError, RecursionError):  # numbers with thousands of digits, or deep lists
        return f"a {type(value).__name__}"
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _in_words(message: str, table: object, kind: type[Any]) -> str:
    """Rewrite an error of msgspec in the terms of such files."""
    what, _, key = message.partition(" - at `$")
    key = key.removesuffix("`").removeprefix(".")
    if what.startswith("Object missing required field"):
        return f"it lacks {what.split('`')[1]!r}"
    given, name = _value_at(table, key), key or "it"
    value = shown(given)
    if choices := _choices(kind, key):
        return f"{name} must be one of {', '.join(choices)}, got {value}"
    expected = _EXPECTED.fullmatch(what)
    if expected is None:  # such as "Number out of range"
        return f"{name}: {what}, got {value}"
    kinds, limit = expected["kind"].removesuffix(" | null"), expected["limit"].strip()
    if limit.startswith("of length"):
        unit = "characters" if kinds == "str" else "values"
        bounds = limit.removeprefix("of length").replace("<=", "at most").replace(">=", "at least")
        length = f"{len(given):,}" if isinstance(given, list | tuple | str) else value
        return f"{name} must have {bounds.strip()} {unit}, got {length}"
    for sign, words in ((">=", "at least"), ("<=", "at most"), ("<", "below"), (">", "above")):
        limit = limit.replace(sign, words)
    limit = limit.removesuffix(".0")
    allowed = " or ".join(_KINDS.get(each, each) for each in kinds.split(" | "))
    return f"{name} must be {allowed}{', ' + limit if limit else ''}, got {value}"


def _value_at(table: object, key: str) -> object:
    """Return the value at a key such as ``output.mean[0]``, or the nearest one around it."""
    for step in _STEP.findall(key):
        if isinstance(table, Mapping) and step in table:
            table = table[step]
        elif isinstance(table, list | tuple) and step.isdecimal() and int(step) < len(table):
            table = table[int(step)]
        else:
            break
    return table


def _choices(kind: Any, key: str) -> list[str]:
    """Return the allowed values at a key if they are few; else none."""
    hinted: Any = kind
    for name in (step for step in _STEP.findall(key) if not step.isdecimal()):
        kinds = (hinted, *get_args(hinted))
        tables = (each for each in kinds if is_dataclass(each) or is_typeddict(each))
        hinted = next((get_type_hints(each).get(name) for each in tables), None)
    kinds = (hinted, *get_args(hinted))
    lists = [each for each in kinds if get_origin(each) in (list, tuple)]
    if key.endswith("]"):
        kinds, lists = tuple(get_args(lists[0])) if lists else (), []
    found: list[str] = []
    for each in kinds:
        if get_origin(each) is Literal:
            found += map(str, get_args(each))
        elif isinstance(each, type) and issubclass(each, Enum):
            found += [str(member.value) for member in each]
    if found and lists:
        found.append("a list")
    return ["true", "false", *found] if found and bool in get_args(hinted) else found
