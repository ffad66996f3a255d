"""Download of a known weight file into torch's cache: checked by its hash, resumed, cancelled.

Only a user's click begins one. This module needs no torch; the GUI thread may import it.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kpviewer.errors import WeightsError
from kpviewer.models.libraries.torch_needed import require_torch
from kpviewer.models.names.models import TORCHVISION
from kpviewer.system.locks import lock

_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file that can be downloaded, and the model that it is for."""

    model: str
    """Name of the model for ``--model``."""
    url: str
    sha256: str
    """SHA-256 of the file, 64 hexadecimal digits."""
    size_bytes: int

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.url.rpartition("/")[2]

    @property
    def host(self) -> str:
        """Server of the file."""
        return self.url.partition("://")[2].partition("/")[0]

    @property
    def path(self) -> Path:
        """Place of the file in torch's cache."""
        return torch_cache() / self.name


# The file of SSDLite320_MobileNet_V3_Large_Weights.COCO_V1: trained on COCO, 21.3 AP on val2017.
# torchvision is under the BSD-3-Clause licence. It gives its weights no licence of their own:
# "may have their own licenses or terms and conditions derived from the dataset used for training"
# (https://github.com/pytorch/vision#pre-trained-model-license).
EVERYDAY_OBJECTS = WeightFile(
    model="torchvision:ssdlite320_mobilenet_v3_large",
    url="https://download.pytorch.org/models/ssdlite320_mobilenet_v3_large_coco-a79551df.pth",
    sha256="a79551df90c79834bcd3bb3845ef9d966b5449a3a9b2833ae8404778ca5d65d2",
    size_bytes=14_069_355,
)
"""Detector of COCO's 80 classes of everyday objects."""


class DownloadCancelled(Exception):
    """The user cancelled the download; what has come stays for the next try."""


class Download:
    """Download of one file; ``run`` on a thread, the rest on any other."""

    def __init__(self, file: WeightFile) -> None:
        self.file = file
        self.done_bytes = 0
        """Number of bytes that have come, earlier tries included."""
        self._is_cancelled = False

    def cancel(self) -> None:
        """Ask ``run`` to end soon."""
        self._is_cancelled = True

    def run(self) -> Path:
        """Download the file, unless it is there; return its path.

        What an earlier try has left is continued, if the server can.

        Raises:
            WeightsError: if it can't be fetched or stored, isn't the expected file, is being
                downloaded by another process, or if torch, which runs it, isn't installed.
            DownloadCancelled: if it was cancelled.
        """
        from kpviewer.models.opening.http_fetch import HTTP_ERRORS, reason_of  # noqa: PLC0415 - slow

        path = self.file.path
        require_torch(self.file.model)
        if path.is_file():
            return path
        part = path.with_name(f"{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fetch(part)
            self._check(part)
            os.replace(part, path)
        except HTTP_ERRORS as error:
            raise WeightsError(
                f"{self.file.name} can't be downloaded ({reason_of(error)}). "
                f"Try again, or fetch {self.file.url} elsewhere and put it into {path.parent}."
            ) from error
        return path

    def _fetch(self, part: Path) -> None:
        """Append what is missing to a partial file."""
        before = part.stat().st_size if part.exists() else 0
        if before >= self.file.size_bytes:
            return
        from kpviewer.models.opening.http_fetch import fetched  # noqa: PLC0415 - slow

        with fetched(self.file.url, before) as (answer, continues):
            self.done_bytes = before if continues else 0
            with part.open("ab") as file:
                if not lock(file.fileno()) or file.tell() != before:
                    raise WeightsError(
                        f"{self.file.name} is being downloaded by another kpviewer. Wait for it."
                    )
                if not continues:
                    file.truncate(0)
                self._copy(answer, file)

    def _copy(self, answer: IO[bytes], file: IO[bytes]) -> None:
        while block := answer.read(_BLOCK_BYTES):
            if self._is_cancelled:
                raise DownloadCancelled
            self.done_bytes += file.write(block)
            if self.done_bytes > self.file.size_bytes:
                break  # it isn't the file, as the hash will say

    def _check(self, part: Path) -> None:
        """Delete a file that isn't the expected one."""
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        size = part.stat().st_size
        if found == self.file.sha256:
            return
        if size < self.file.size_bytes:
            raise ConnectionError("the connection ended early")
        part.unlink()
        raise WeightsError(
            f"{self.file.host} sent another file than {self.file.name}: its hash differs. "
            "It was deleted. Try again, or later."
        )


def torch_cache() -> Path:
    """Return the folder in which torch keeps downloaded weights, without importing torch."""
    home = os.environ.get("TORCH_HOME")
    if home is None:
        home = str(Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "torch"))
    return Path(home).expanduser() / "hub" / "checkpoints"


def is_downloaded(name: str) -> bool:
    """Return whether the COCO weights of ``torchvision:NAME`` are in torch's cache."""
    model = name.removeprefix(TORCHVISION).partition("@")[0]
    return any(torch_cache().glob(f"{model}_coco-*.pth"))
