"""Fixtures of the tests of the service."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # helpers: clients

import pytest

pytest.importorskip("fastapi", reason="the extra serve isn't installed")
pytest.importorskip("httpx", reason="httpx isn't installed")
