"""Certificates for https."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from kpviewer.errors import KpviewerError


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of a certificate."""

    path: Path
    """Certificate, with those that vouch for it."""
    key: Path | None = None
    """Its key; None: in the same file."""


def certificate_of(path: Path, key: Path | None = None) -> Certificate:
    """Return a certificate whose files can be used.

    Raises:
        KpviewerError: if they can't be read, or don't belong together.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key, _no_password)
    except (OSError, ValueError) as error:
        shown = f"{path.name} and {key.name}" if key else path.name
        raise KpviewerError(
            f"{shown} can't be used for https: {_reason(error)}. --tls needs a certificate in PEM, "
            "and --tls-key its key without a password."
        ) from error
    return Certificate(path, key)


def _no_password() -> str:
    raise ValueError("the key has a password")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no certificate was found").replace("_", " ").lower()
    return str(getattr(error, "strerror", None) or error)
