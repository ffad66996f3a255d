"""Proposals of selective search on disk, for training: a search takes longer than a step.

A file is named by the content of its image and by the settings of the search, so that a changed
image or setting never meets old proposals. A file that can't be read is written again.
"""

import contextlib
import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.config.files import cache_folder, proposals_folder
from kpviewer.errors import DatasetError, RecordingError
from kpviewer.models.networks.regions.selective_search import FAST, SearchSettings, selective_search
from kpviewer.structures import FloatArray
from kpviewer.system.paths import make_folder, named_path, trim_folder, write_atomically
from kpviewer.training.data.samples import Sample, load_sample

MAX_BYTES = 2 * 1024**3
"""Most bytes of a folder of proposals: about 60,000 images."""
SUFFIX = ".proposals"
_VERSION = 1
"""Increase it when the same settings find other boxes."""
_HEADER_BYTES = 4096
_KEY = "xyxy"


class ProposalCache:
    """A folder of proposals; without a name, that of the user's cache.

    Raises:
        DatasetError: if the name of the folder isn't valid.
    """

    def __init__(self, folder: str | Path = "", settings: SearchSettings = FAST) -> None:
        self.folder = (
            named_path(folder, DatasetError) if folder else proposals_folder(cache_folder())
        )
        self.settings = settings
        self._salt = f"{_VERSION} {settings}".encode()

    def path_of(self, image: Path) -> Path:
        """Return the file of an image's proposals; it need not exist.

        Raises:
            DatasetError: if the image can't be read.
        """
        try:
            content = image.read_bytes()
        except OSError as error:
            raise DatasetError(
                f"{image} can't be read ({(error.strerror or str(error)).lower()}). Is it there?"
            ) from error
        name = hashlib.blake2b(self._salt + content, digest_size=16).hexdigest()
        return self.folder / f"{name}{SUFFIX}"

    def read(self, path: Path) -> FloatArray | None:
        """Return the boxes in a file, (N, 4) float32 xyxy px; None if it is missing or damaged."""
        try:
            if path.stat().st_size > _HEADER_BYTES + 16 * self.settings.most:
                return None
            xyxy = load(path.read_bytes()).get(_KEY)
        except (OSError, SafetensorError):
            return None
        if xyxy is None or xyxy.dtype != np.float32 or xyxy.shape[1:] != (4,):
            return None
        is_box = np.isfinite(xyxy).all() and (xyxy[:, :2] >= 0).all()
        is_box &= (xyxy[:, 2:] > xyxy[:, :2]).all()
        with contextlib.suppress(OSError):
            os.utime(path)  # it is used: others are removed before it
        return xyxy if is_box else None

    def write(self, path: Path, xyxy: FloatArray) -> None:
        """Write the boxes of an image, whole or not at all.

        Raises:
            RecordingError: if the file can't be written.
        """
        make_folder(self.folder, RecordingError)
        try:
            write_atomically(path, save({_KEY: xyxy}))
        except OSError as error:
            raise RecordingError(
                f"Proposals can't be kept in {self.folder} ({error.strerror or error}). "
                "Make room there, or choose another folder."
            ) from error

    def sample(self, item: AnnotatedImage) -> Sample:
        """Read an image with its annotations and its proposals; search for them if they lack.

        Raises:
            DatasetError: if the image can't be read.
            WeightsError: if scikit-image is needed and isn't installed.
            RecordingError: if what was found can't be written.
        """
        sample = load_sample(item)
        path = self.path_of(item.path)
        xyxy = self.read(path)
        if xyxy is None or (xyxy[:, 2:] > sample.hw[::-1]).any():
            xyxy = selective_search(sample.rgb, self.settings)
            self.write(path, xyxy)
        return replace(sample, proposals_xyxy=xyxy)

    def trim(self, keep: set[Path], max_bytes: int = MAX_BYTES) -> list[Path]:
        """Remove files until the folder's proposals fit, the least recently used first.

        Those to keep stay. Return the removed files.
        """
        return trim_folder(self.folder, SUFFIX, max_bytes, lambda path: path not in keep)
