"""Reasons of failures, in one line for the users of the service."""

from kpviewer.errors import KpviewerError
from kpviewer.sources.redact import redact_text

_LONGEST = 300


def reason_of(error: BaseException) -> str:
    """Return the reason of a failure in one line, without the secrets of addresses."""
    text = " ".join(str(error).split())
    if not isinstance(error, KpviewerError):
        text = f"{type(error).__name__}: {text}".removesuffix(": ")
    return redact_text(text)[:_LONGEST]
