"""Settings of the running window, and their file. No Qt.

``current`` holds the settings of this window, a profile of the command line included. The file
receives only the edits, on top of its contents at that time: another window may have written it.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from kpviewer.config.files import (
    LoadedSettings,
    delete_profile,
    profile_bytes,
    profile_names,
    read_profile,
    read_settings,
    restore_profile,
    settings_path,
    write_profile,
    write_settings,
)
from kpviewer.config.settings import Settings
from kpviewer.errors import KpviewerError
from kpviewer.models.names.models import code_in
from kpviewer.runtime.process.abandoned import NoAnswerError, answer_within, still_running
from kpviewer.system.locks import turn_in

Edit = Callable[[Settings], Settings]

_log = logging.getLogger(__name__)


READ_S, WRITE_S = 2.0, 1.0
"""Time that a disk may take while the window waits, in seconds."""


class SettingsStore:
    """Settings of one window; to be used on one thread.

    Raises:
        KpviewerError: if the profile is missing or damaged.
    """

    def __init__(self, folder: Path | None, profile: str | None = None) -> None:
        self._folder = folder
        self._edits: list[Edit] = []
        self._can_write = folder is not None
        self.current = Settings()
        self.problem: str | None = None
        """Last error, in one line; None if there was none."""
        if folder is not None:
            reading = _read(settings_path(folder))
            self._can_write = not reading.must_not_overwrite
            self._report(reading.problem)
            self.current = self._without_code(reading.settings, settings_path(folder).name)
            if profile is not None:
                self.current = self.current.with_profile(self._profile(folder, profile))

    @property
    def has_folder(self) -> bool:
        """Whether profiles can be saved."""
        return self._folder is not None

    def edit(self, change: Edit) -> None:
        """Change the settings of this window; ``flush`` makes the same change to the file."""
        changed = change(self.current)
        if changed != self.current:
            self.current = changed
            if self._can_write:
                self._edits.append(change)

    def flush(self) -> None:
        """Write the edits since the last call; a failure is reported once, in ``problem``.

        While a disk is busy with earlier edits, later ones wait for the next call.
        """
        if not self._edits or self._folder is None:
            return
        path = settings_path(self._folder)
        work = f"writing {path}"
        if work in still_running():
            return
        edits, self._edits = self._edits, []
        try:
            problem = answer_within(WRITE_S, lambda: _change(path, edits), work)
            if problem is not None:  # the file was damaged since it was read
                self._report(problem)
        except NoAnswerError:
            self._report(f"{path.parent} doesn't answer. Changes are remembered once it does.")
        except KpviewerError as error:
            self._can_write = False
            self._report(str(error))

    def profiles(self) -> list[str]:
        """List the names of the profiles, in alphabetical order."""
        return profile_names(self._folder) if self._folder is not None else []

    def save_profile(self, name: str, settings: Settings) -> None:
        """Save settings as a profile; one of the same name is replaced.

        Raises:
            KpviewerError: if the name is not a file name, or nothing can be written.
        """
        if self._folder is not None:
            write_profile(self._folder, name, settings)

    def load_profile(self, name: str) -> None:
        """Use a profile from now on, and remember its settings.

        Raises:
            KpviewerError: if it is missing or damaged.
        """
        if self._folder is not None:
            profile = self._profile(self._folder, name)
            self.edit(lambda settings: settings.with_profile(profile))

    def restoring(self, name: str) -> Callable[[], None] | None:
        """Return a function that restores a profile as it is now; None if there is none.

        The function raises KpviewerError if nothing can be written.

        Raises:
            KpviewerError: if the name is not a file name.
        """
        folder = self._folder
        kept = profile_bytes(folder, name) if folder is not None else None
        if folder is None or kept is None:
            return None
        return partial(restore_profile, folder, name, kept)

    def delete_profile(self, name: str) -> None:
        """Delete a profile.

        Raises:
            KpviewerError: if its file can't be deleted.
        """
        if self._folder is not None:
            delete_profile(self._folder, name)

    def _profile(self, folder: Path, name: str) -> Settings:
        reading = read_profile(folder, name)
        if reading.problem is not None:
            self._report(reading.problem)
        return self._without_code(reading.settings, name)

    def _without_code(self, settings: Settings, name: str) -> Settings:
        """Remove a model that is code, which no file may name, and report that."""
        model = _plain_model(settings)
        if model != settings.model:
            self._report(
                f"{name} names code as its model ({settings.model}), which only the command line "
                f"may: the usual model is used. If you trust it: --model {settings.model}"
            )
        return replace(settings, model=model)

    def _report(self, problem: str | None) -> None:
        self.problem = problem
        if problem is not None:
            _log.warning("%s", problem)


def _plain_model(settings: Settings) -> str | None:
    model = settings.model
    return None if model is not None and code_in(model) else model


def _read(path: Path) -> LoadedSettings:
    try:
        return answer_within(READ_S, lambda: read_settings(path), f"reading {path}")
    except NoAnswerError:
        problem = f"{path.parent} doesn't answer. The defaults are used, and nothing is remembered."
        return LoadedSettings(Settings(), problem, must_not_overwrite=True)


def _change(path: Path, edits: list[Edit]) -> str | None:
    """Apply the edits to the present contents of the file, and write it.

    Returns:
        What went wrong with the present contents, in one line; None if nothing did.

    Raises:
        KpviewerError: if the file can't be written, or must not be.
    """
    with turn_in(path.parent):
        reading = read_settings(path)
        if reading.must_not_overwrite:
            raise KpviewerError(reading.problem or "")
        settings = replace(reading.settings, model=_plain_model(reading.settings))
        for change in edits:
            settings = change(settings)
        write_settings(path, settings)
    return reading.problem
