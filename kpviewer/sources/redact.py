"""Takes secrets out of stream addresses before anyone sees them. Imports nothing heavy."""

from __future__ import annotations

import re

HIDDEN = "***"

# To the last @ of the word: passwords hold / and @ too, however wrongly.
_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)\S*@")
_SECRET_VALUES = re.compile(
    r"(?P<key>[?&;#][^=&;#\s]*(?:pass|pwd|secret|token|key|auth|user|login|sig)[^=&;#\s]*=)[^&;#\s]*",
    re.IGNORECASE,
)


def redact_url(text: str) -> str:
    """Hide the user name, password and secret parameters of every address in a text.

    Args:
        text: an address, or a message that may hold some.

    Returns:
        The text with ``***`` in place of what nobody should read; a text without an address, such
        as a path, comes back as it was.
    """
    if "://" not in text:
        return text
    return _SECRET_VALUES.sub(rf"\g<key>{HIDDEN}", _CREDENTIALS.sub(rf"\g<scheme>{HIDDEN}@", text))
