"""The extra ``serve``: the packages that only the service needs."""

from importlib.util import find_spec

from kpviewer.errors import KpviewerError

PACKAGES = ("fastapi", "uvicorn", "websockets", "python_multipart", "prometheus_client")
"""Modules that every service imports."""


def require_extra(*packages: str) -> None:
    """Check that packages of the extra are installed, by default those of every service.

    Raises:
        KpviewerError: if one is missing.
    """
    missing = [name for name in packages or PACKAGES if find_spec(name) is None]
    if missing:
        raise KpviewerError(
            f"kpviewer serve requires packages that aren't installed: {', '.join(missing)}. "
            'Run: pip install "kpviewer[serve]"'
        )
