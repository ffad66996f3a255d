"""Execution of code in a fresh interpreter."""

import subprocess
import sys
from collections.abc import Mapping

TIMEOUT_S = 250.0


def python(code: str, env: Mapping[str, str] | None = None) -> str:
    """Run code and return its output; fail if it fails.

    Args:
        code: complete program.
        env: environment variables; None is those of this process.
    """
    exit_code, output, errors = run_python(code, env)
    assert exit_code == 0, errors
    return output


def run_python(code: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run code; return its exit code, stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
