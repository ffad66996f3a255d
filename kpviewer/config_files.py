"""The files of the settings: where they are, and how they are read, written and forgotten.

One folder, the user's own (``settings_folder``), holds ``settings.toml`` and, under ``profiles/``,
one file of the same form for each profile. What can't be read as TOML, and what a newer version
wrote, is kept aside under another name, and one line says so: nothing here stops the start.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import tomli_w

from kpviewer.config import VERSION, Settings, from_table, to_table
from kpviewer.errors import KpviewerError

SETTINGS_FILE = "settings.toml"
PROFILES_FOLDER = "profiles"

_PROFILE_NAME = re.compile(r"[\w(][\w .,()+-]{0,58}[\w)+]|\w")
_RESERVED_NAME = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # by Windows


def settings_folder() -> Path:
    """Give the folder of the user's settings; it need not exist."""
    return Path(platformdirs.user_config_dir("kpviewer", appauthor=False))


def settings_path(folder: Path) -> Path:
    """Give the file of the settings in a folder of settings."""
    return folder / SETTINGS_FILE


def profile_path(folder: Path, name: str) -> Path:
    """Give the file of a profile.

    Raises:
        KpviewerError: if the name can't be that of a file everywhere.
    """
    if not _PROFILE_NAME.fullmatch(name) or _RESERVED_NAME.fullmatch(name):
        raise KpviewerError(
            f"A profile's name must be 1 to 60 letters, digits, spaces or -_.,+(), got {name!r}. "
            "Choose another name."
        )
    return folder / PROFILES_FOLDER / f"{name}.toml"


def profile_names(folder: Path) -> list[str]:
    """List the profiles, in alphabetical order."""
    found = (folder / PROFILES_FOLDER).glob("*.toml")
    names = (path.stem for path in found if ".kept-" not in path.name)
    return sorted(names, key=str.casefold)


# -- reading and writing ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings that were read from a file, and what went wrong."""

    settings: Settings
    problem: str | None = None
    """One line for people; None while all is well."""
    must_not_overwrite: bool = False
    """The file could neither be read nor kept aside: it must not be written over."""


def read_settings(path: Path) -> LoadedSettings:
    """Read a file of settings; whatever it holds, there are settings afterwards."""
    try:
        table = tomllib.loads(_text_of(path))
    except FileNotFoundError:
        return LoadedSettings(Settings())
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        return _kept_aside(path, f"can't be read ({reason})")
    except RecursionError:
        return _kept_aside(path, "can't be read (it is nested too deeply)")
    version = table.pop("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        return _kept_aside(path, f"is of a newer version ({version})")
    settings, ignored = from_table(table)
    if not ignored:
        return LoadedSettings(settings)
    return LoadedSettings(
        settings, f"{path.name}: ignored what makes no sense: {', '.join(ignored)}."
    )


def peek_settings(path: Path) -> Settings:
    """Read a file of settings without moving a damaged one away: ``read_settings`` tells of it."""
    try:
        return from_table(tomllib.loads(_text_of(path)))[0]
    except (OSError, ValueError, RecursionError):
        return Settings()


def _text_of(path: Path) -> str:
    """Read a text file of ours; a pipe or a device would keep the window waiting for ever."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "it isn't a regular file")
    return path.read_text("utf-8")


def write_settings(path: Path, settings: Settings) -> None:
    """Write a file of settings, whole or not at all.

    Raises:
        KpviewerError: if nothing can be written there.
    """
    text = tomli_w.dumps({"version": VERSION, **to_table(settings)})
    beside: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with open(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the new name on an empty file
        os.replace(beside, path)
    except OSError as error:
        if beside is not None:
            with contextlib.suppress(OSError):
                os.unlink(beside)
        raise KpviewerError(
            f"Settings can't be written to {path} ({error.strerror or error}). "
            "Make the folder writable; until then they last as long as the window."
        ) from error


def read_profile(folder: Path, name: str) -> Settings:
    """Read a profile.

    Raises:
        KpviewerError: if there is none of that name, or its file is damaged or newer.
    """
    path = profile_path(folder, name)
    if not path.is_file():
        names = profile_names(folder)
        known = f"There are: {', '.join(names)}." if names else "There is none yet."
        raise KpviewerError(f"No profile is named {name!r}. {known}")
    reading = read_settings(path)
    if reading.problem is not None and not path.exists():
        raise KpviewerError(reading.problem)
    return reading.settings.as_profile()


def write_profile(folder: Path, name: str, settings: Settings) -> None:
    """Save settings as a profile, in place of one of the same name.

    Raises:
        KpviewerError: if the name is no file name, or nothing can be written.
    """
    write_settings(profile_path(folder, name), settings.as_profile())


def delete_profile(folder: Path, name: str) -> None:
    """Delete a profile; one that is gone already is no error.

    Raises:
        KpviewerError: if the file can't be deleted.
    """
    path = profile_path(folder, name)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise KpviewerError(f"{path} can't be deleted ({error.strerror}).") from error


def delete_all_settings(folder: Path) -> list[Path]:
    """Delete the settings, the profiles, and what was kept aside; nothing else.

    Returns:
        The files that were deleted.

    Raises:
        KpviewerError: if one can't be deleted.
    """
    profiles = folder / PROFILES_FOLDER
    stem = Path(SETTINGS_FILE).stem
    found = [*folder.glob(SETTINGS_FILE), *folder.glob(f"{stem}.kept-*.toml")]
    found = sorted(path for path in [*found, *profiles.glob("*.toml")] if not path.is_dir())
    for path in found:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise KpviewerError(f"{path} can't be deleted ({error.strerror}).") from error
    for empty in (profiles, folder):
        with contextlib.suppress(OSError):  # not there, or it holds what isn't ours
            empty.rmdir()
    return found


def _kept_aside(path: Path, what: str) -> LoadedSettings:
    """Move a file out of the way under the first free name."""
    for number in range(1, 1000):
        aside = path.with_name(f"{path.stem}.kept-{number}{path.suffix}")
        if not os.path.lexists(aside):
            break
    try:
        path.rename(aside)
    except OSError:
        problem = f"{path} {what}. The defaults are used, and nothing is remembered."
        return LoadedSettings(Settings(), problem, must_not_overwrite=True)
    problem = f"{path.name} {what}. The defaults are used; the file is kept as {aside}."
    return LoadedSettings(Settings(), problem)
