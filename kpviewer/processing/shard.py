"""Shards: the part of a list of sources that one of several machines processes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from kpviewer.errors import InputError
from kpviewer.processing.tasks import recorded_source

_TEXT = re.compile(r"(\d{1,9})/(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard ``number`` of ``count``, from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse "3/8".

        Raises:
            InputError: if it isn't a number from 1 to the count, and the count.
        """
        found = _TEXT.fullmatch(text)
        number, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            raise InputError(f"A shard is I/N with I from 1 to N, such as 3/8, got {text[:40]!r}.")
        return cls(number, count)

    @property
    def name(self) -> str:
        """Text in the name of its manifest: "3-of-8"."""
        return f"{self.number}-of-{self.count}"

    def has(self, source: str) -> bool:
        """Return whether a source belongs to this shard.

        The whole path decides, not the position in the list: each source is in exactly one shard,
        even if files are added while the shards start.
        """
        digest = hashlib.blake2b(recorded_source(source).encode("utf-8", "surrogateescape"))
        return int.from_bytes(digest.digest()[:8]) % self.count == self.number - 1
