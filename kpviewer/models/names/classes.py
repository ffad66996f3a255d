"""Names and numbers of a model's classes: as a user writes them, and as they are shown."""

from collections.abc import Iterable, Sequence


def class_name(class_id: int, class_names: Sequence[str]) -> str:
    """Return the name of a class; ``class N`` if it has none, or a blank one."""
    name = class_names[class_id] if class_id < len(class_names) else ""
    return name if name.strip() else f"class {class_id}"


def shown_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all classes as they are shown."""
    return tuple(class_name(class_id, class_names) for class_id in range(len(class_names)))


def class_ids(asked: Iterable[str], class_names: tuple[str, ...]) -> frozenset[int]:
    """Return the ids of classes given by name or number.

    Raises:
        ValueError: if the model has no class of that name or number.
    """
    return frozenset(_class_id(name, class_names) for name in asked)


def _class_id(name: str, class_names: tuple[str, ...]) -> int:
    if name in class_names:
        return class_names.index(name)
    if name.isdecimal() and int(name) < len(class_names):
        return int(name)
    known = ", ".join(class_names[:8]) + (", ..." if len(class_names) > 8 else "")
    raise ValueError(f"{name!r} must be a class of the model ({known}).")
