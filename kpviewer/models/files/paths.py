"""Model files by the user's name for them: regular files only, of a readable size."""

import errno
import shlex
import zipfile
from pathlib import Path

from kpviewer.errors import WeightsError
from kpviewer.models.limits import clean_name
from kpviewer.models.tables import first_line, shown
from kpviewer.system.paths import named_path

MAX_FILE_BYTES = 2 * 1024**3


def model_path(name: str | Path) -> Path:
    """Return the path of a name, with ``~`` expanded.

    Raises:
        WeightsError: if no file can have that name.
    """
    return named_path(name, WeightsError)


def is_regular(path: Path) -> bool:
    """Return whether the path is a file or a link to one: no folder, pipe or device."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file system allows
        return False


def graph_file(path: Path) -> Path:
    """Return the only ``.xml``, or else the only ``.onnx``, of a folder; other paths as they are.

    Raises:
        WeightsError: if a folder holds several.
    """
    for suffix in ("xml", "onnx") if path.is_dir() else ():
        found = sorted(path.glob(f"*.{suffix}"))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(clean_name(each.name) for each in found[:8])
            raise WeightsError(
                f"{path.name} holds {len(found)} models: {names}. Name one: --model "
                f"{shlex.quote(str(found[0]))}."
            )
    return path


def check_model_file(path: Path) -> None:
    """Refuse a path that can't be a model file, before anything is read.

    Raises:
        WeightsError: if it is missing, not a regular file, or larger than 2 GiB.
    """
    if not is_regular(path):
        exists = path.exists() if len(path.name) < 255 else False
        what = "Not a model file, but a folder or a device" if exists else "Model file not found"
        raise WeightsError(f"{what}: {shown(str(path))}. Check the path.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise WeightsError(f"{path.name} is larger than 2 GiB: not a model that kpviewer runs.")


def archived(path: Path) -> list[zipfile.ZipInfo] | None:
    """Return the entries of a zip archive, unread; None if the file isn't one.

    Raises:
        WeightsError: if it is damaged, or the disk can't read it.
    """
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                return None
            with zipfile.ZipFile(file) as archive:
                return archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        if is_of_disk(error):
            raise unread(path, error) from error
        raise WeightsError(
            f"{path.name} is damaged: {first_line(error)}. Fetch it again."
        ) from error


def is_of_disk(error: BaseException) -> bool:
    """Return whether an error is the disk's; a damaged archive may lead to before its start."""
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


def unread(path: Path, error: BaseException) -> WeightsError:
    """Return the error of a file that the disk can't read."""
    reason = getattr(error, "strerror", None) or first_line(error)
    return WeightsError(f"{path.name} can't be read: {reason}. Check the disk and permissions.")
