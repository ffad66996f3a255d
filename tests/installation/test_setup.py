"""scripts/setup asks pip for what fits the machine; pip and the interpreter are stand-ins."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[2] / "scripts" / "setup"
VERSIONS = "Available versions: 2.12.0+cpu, 2.11.0+cpu, 2.11.0"
PYTHON = """#!/bin/sh
case "$*" in
*"pip index versions torchvision"*) echo "${VERSIONS_OF_TORCHVISION:-$VERSIONS}" ;;
*"pip index versions"*) echo "$VERSIONS" ;;
*"pip install"*) echo "$*" >> "$LOG" ;;
esac
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")


def installed(
    folder: Path,
    *arguments: str,
    versions: str = "",
    of_torchvision: str = "",
    has_nvidia: bool = False,
) -> str:
    """Run the script in an empty checkout; return the words that pip installs."""
    bin_folder, tools, log = folder / ".venv" / "bin", folder / "tools", folder / "log"
    for each in (bin_folder, tools, folder / "scripts"):
        each.mkdir(parents=True)
    shutil.copy(SETUP, folder / "scripts")
    stubs = {bin_folder / "python": PYTHON, bin_folder / "kpviewer": "#!/bin/sh\n"}
    if has_nvidia:
        stubs[tools / "nvidia-smi"] = "#!/bin/sh\n"
    for path, text in stubs.items():
        path.write_text(text)
        path.chmod(0o755)
    environment = {
        "PATH": f"{tools}:{os.defpath}",
        "LOG": str(log),
        "VERSIONS": versions,
        "VERSIONS_OF_TORCHVISION": of_torchvision,
    }
    script = folder / "scripts" / "setup"
    subprocess.run(["sh", str(script), *arguments], env=environment, check=True, timeout=60)
    return log.read_text().strip().partition(" -e ")[2]


def test_without_a_driver_there_is_no_torch(tmp_path):
    assert installed(tmp_path) == "."


def test_beside_a_driver_torch_comes_with_cuda(tmp_path):
    assert installed(tmp_path, versions=VERSIONS, has_nvidia=True) == ".[torch]"


@pytest.mark.parametrize("extra", ["torch", "serve,torch", "dev"])
def test_without_a_driver_torch_is_a_build_for_cpus_where_there_is_one(tmp_path, extra):
    expected = f".[{extra}] torch==2.12.0+cpu torchvision==2.12.0+cpu"
    assert installed(tmp_path, extra, versions=VERSIONS) == expected


def test_an_index_without_builds_for_cpus_decides_itself(tmp_path):
    assert installed(tmp_path, "torch", versions="Available versions: 2.11.0") == ".[torch]"


def test_a_torch_for_cpus_without_its_torchvision_is_left_alone(tmp_path):
    found = installed(
        tmp_path, "dev", versions=VERSIONS, of_torchvision="Available versions: 0.26.0"
    )
    assert found == ".[dev]", "a torchvision for CUDA doesn't work with it"
