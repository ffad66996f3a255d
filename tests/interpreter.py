"""Runs code in an interpreter of its own, for what only a fresh one can show."""

import subprocess
import sys
from collections.abc import Mapping

TIMEOUT_S = 250.0


def python(code: str, env: Mapping[str, str] | None = None) -> str:
    """Run code and give what it prints; fail where it fails.

    Args:
        code: a whole program.
        env: its environment variables; None is this process's.
    """
    exit_code, told, complaints = run_python(code, env)
    assert exit_code == 0, complaints
    return told


def run_python(code: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run code; give its exit code, and what it prints to stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
