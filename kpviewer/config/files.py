"""Settings files: their locations, and functions to read, write and delete them.

One folder, the user's own (``settings_folder``), holds ``settings.toml`` and, under ``profiles/``,
one file of the same form for each profile. ``descriptions/`` holds what the user chose for models
that don't describe themselves (``models.onnx.saved``), and ``serve.pem`` the certificate of
``kpviewer serve --tls``. A settings file that isn't TOML, or that a newer version wrote, is moved
aside under another name and reported in one line. None stops the start.
"""

import contextlib
import errno
import os
import re
import stat
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs
import tomli_w

from kpviewer.config.settings import VERSION, Settings, from_table, to_table
from kpviewer.errors import KpviewerError
from kpviewer.system.locks import turn_in
from kpviewer.system.paths import write_atomically, written_files

SETTINGS_FILE = "settings.toml"
PROFILES_FOLDER = "profiles"
DESCRIPTIONS_FOLDER = "descriptions"
SCANS_FOLDER = "scans"
CERTIFICATE_FILE = "serve.pem"
"""Self-signed certificate of ``kpviewer serve --tls``, with its key."""
PROPOSALS_FOLDER = "proposals"

_PROFILE_NAME = re.compile(r"[\w(][\w .,()+-]{0,58}[\w)+]|\w")
_RESERVED_NAME = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # by Windows
_DEFAULTS = "The defaults are used"
_MAX_BYTES = 4 * 1024**2
"""Largest size of a settings file."""


def settings_folder() -> Path:
    """Return the folder of the user's settings; it need not exist."""
    return Path(platformdirs.user_config_dir("kpviewer", appauthor=False))


def cache_folder() -> Path:
    """Return the folder of what kpviewer may compute again; it need not exist."""
    return Path(platformdirs.user_cache_dir("kpviewer", appauthor=False))


def settings_path(folder: Path) -> Path:
    """Return the path of the settings file in a settings folder."""
    return folder / SETTINGS_FILE


def descriptions_folder(folder: Path) -> Path:
    """Return the folder of chosen descriptions of models within a settings folder."""
    return folder / DESCRIPTIONS_FOLDER


def scans_folder(folder: Path) -> Path:
    """Return the folder of scans within a cache folder."""
    return folder / SCANS_FOLDER


def proposals_folder(folder: Path) -> Path:
    """Return the folder of proposals for training within a cache folder."""
    return folder / PROPOSALS_FOLDER


def profile_path(folder: Path, name: str) -> Path:
    """Return the path of a profile's file.

    Raises:
        KpviewerError: if the name isn't a valid file name on every system.
    """
    if not _PROFILE_NAME.fullmatch(name) or _RESERVED_NAME.fullmatch(name):
        raise KpviewerError(
            f"A profile's name must be 1 to 60 letters, digits, spaces or -_.,+(), got {name!r}. "
            "Choose another name."
        )
    return folder / PROFILES_FOLDER / f"{name}.toml"


def profile_names(folder: Path) -> list[str]:
    """Return the names of the profiles, in alphabetical order."""
    found = (folder / PROFILES_FOLDER).glob("*.toml")
    names = (path.stem for path in found if ".kept-" not in path.name)
    return sorted(names, key=str.casefold)


# -- reading and writing ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings that were read from a file, and what went wrong."""

    settings: Settings
    problem: str | None = None
    """One line for the user; None if there is no problem."""
    must_not_overwrite: bool = False
    """Whether the file could neither be read nor moved aside, and must not be overwritten."""


def read_settings(path: Path) -> LoadedSettings:
    """Read a settings file; return the defaults if it can't be read."""
    try:
        table = tomllib.loads(_read_text(path))
    except FileNotFoundError:
        return LoadedSettings(Settings())
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        return _moved_aside(path, f"can't be read ({reason})")
    except RecursionError:
        return _moved_aside(path, "can't be read (it is nested too deeply)")
    version = table.pop("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        return _moved_aside(path, f"is of a newer version ({version})")
    settings, ignored = from_table(table)
    if not ignored:
        return LoadedSettings(settings)
    return LoadedSettings(
        settings, f"{path.name}: ignored values that are not valid: {', '.join(ignored)}."
    )


def peek_settings(path: Path) -> Settings:
    """Read a settings file without moving a damaged one aside; ``read_settings`` reports it."""
    try:
        return from_table(tomllib.loads(_read_text(path)))[0]
    except (OSError, ValueError, RecursionError):
        return Settings()


def _read_text(path: Path) -> str:
    """Read a text file, but no pipe or device, which could block for ever, and no huge file."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EINVAL, "it isn't a regular file")
    if status.st_size > _MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {_MAX_BYTES // 1024**2} MB")
    return path.read_text("utf-8")


def write_settings(path: Path, settings: Settings) -> None:
    """Write a settings file atomically.

    Raises:
        KpviewerError: if the file can't be written.
    """
    text = tomli_w.dumps({"version": VERSION, **to_table(settings)})
    _write(path, text.encode("utf-8", "replace"))


def _write(path: Path, contents: bytes) -> None:
    try:
        write_atomically(path, contents)
    except OSError as error:
        raise KpviewerError(
            f"Settings can't be written to {path} ({error.strerror or error}). "
            "Make the folder writable; until then they last as long as the window."
        ) from error


def read_profile(folder: Path, name: str) -> LoadedSettings:
    """Read a profile; ``problem`` names the values that are not valid.

    Raises:
        KpviewerError: if there is no profile of that name, or its file is damaged or newer.
    """
    path = profile_path(folder, name)
    if not path.is_file():
        names = profile_names(folder)
        known = f"There are: {', '.join(names)}." if names else "There is none yet."
        raise KpviewerError(f"No profile is named {name!r}. {known}")
    reading = read_settings(path)
    if reading.problem is not None and (reading.must_not_overwrite or not path.exists()):
        reason, _, rest = reading.problem.partition(_DEFAULTS)
        rest = "." if reading.must_not_overwrite else rest
        raise KpviewerError(f"{reason}It isn't used{rest}")
    return replace(reading, settings=reading.settings.as_profile())


def write_profile(folder: Path, name: str, settings: Settings) -> None:
    """Write settings as a profile; one of the same name is replaced.

    Raises:
        KpviewerError: if the name isn't a valid file name, or the file can't be written.
    """
    write_settings(profile_path(folder, name), settings.as_profile())


def profile_bytes(folder: Path, name: str) -> bytes | None:
    """Return the contents of a profile's file; None if there is none, or it can't be read."""
    path = profile_path(folder, name)
    with contextlib.suppress(OSError):
        return path.read_bytes() if path.is_file() else None
    return None


def restore_profile(folder: Path, name: str, contents: bytes) -> None:
    """Write the contents of a profile's file again.

    Raises:
        KpviewerError: if the file can't be written.
    """
    _write(profile_path(folder, name), contents)


def delete_profile(folder: Path, name: str) -> None:
    """Delete a profile, if it exists.

    Raises:
        KpviewerError: if the file can't be deleted.
    """
    _deleted([profile_path(folder, name)], [])


def delete_all_settings(folder: Path) -> list[Path]:
    """Delete settings, profiles, files moved aside, descriptions and the certificate; no more.

    Returns:
        The deleted files.

    Raises:
        KpviewerError: if a file can't be deleted.
    """
    profiles, descriptions = folder / PROFILES_FOLDER, descriptions_folder(folder)
    stem = Path(SETTINGS_FILE).stem
    with turn_in(folder):  # else a window that is writing could restore what it read
        found = [*written_files(folder, SETTINGS_FILE), *folder.glob(f"{stem}.kept-*.toml")]
        found += [*written_files(profiles, "*.toml"), *written_files(descriptions, "*.toml")]
        found += written_files(folder, CERTIFICATE_FILE)
        return _deleted(found, [profiles, descriptions, folder])


def compiled_folder(folder: Path) -> Path:
    """Return the folder of compiled models within a cache folder."""
    return folder / "compiled"


def delete_cache(folder: Path) -> list[Path]:
    """Delete the files of the cache folder, and older versions' graphs; return them.

    Raises:
        KpviewerError: if a file can't be deleted.
    """
    scans, proposals = scans_folder(folder), proposals_folder(folder)
    compiled = compiled_folder(folder)
    found = [*written_files(folder, "*.json"), *scans.glob("*.kpv")]
    found += written_files(proposals, "*.proposals")
    graphs = folder / "graphs"
    found += [*written_files(compiled, "*.compiled"), *graphs.glob("*/graph.*")]
    return _deleted(found, [scans, proposals, compiled, *graphs.glob("*"), graphs, folder])


def _deleted(files: Iterable[Path], folders: Iterable[Path]) -> list[Path]:
    """Delete files, then the folders that are empty; return the files."""
    found = sorted(path for path in files if not path.is_dir())
    for path in found:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise KpviewerError(f"{path} can't be deleted ({error.strerror}).") from error
    for empty in folders:
        with contextlib.suppress(OSError):  # missing, or it holds other files
            empty.rmdir()
    return found


def _moved_aside(path: Path, reason: str) -> LoadedSettings:
    """Rename a file to the first free name, and return the default settings."""
    for number in range(1, 1000):
        aside = path.with_name(f"{path.stem}.kept-{number}{path.suffix}")
        if not os.path.lexists(aside):
            break
    try:
        path.rename(aside)
    except OSError:
        problem = f"{path} {reason}. {_DEFAULTS}, and nothing is remembered."
        return LoadedSettings(Settings(), problem, must_not_overwrite=True)
    problem = f"{path.name} {reason}. {_DEFAULTS}; the file is kept as {aside}."
    return LoadedSettings(Settings(), problem)
