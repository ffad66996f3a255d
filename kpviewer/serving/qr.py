"""QR codes in a terminal, for a phone to open an address without typing it."""

from __future__ import annotations

import io

import segno

_QUIET_MODULES = 2
"""Width of the light frame; scanners of phones need no more."""


def qr_text(address: str) -> str:
    """Return a QR code in half blocks.

    Its colours are set: a code drawn in those of a light terminal would be a negative.
    """
    text = io.StringIO()
    segno.make(address, micro=False, error="l").terminal(text, border=_QUIET_MODULES, compact=True)
    return "\n".join(f"\x1b[97;40m{line}\x1b[0m" for line in text.getvalue().splitlines())
