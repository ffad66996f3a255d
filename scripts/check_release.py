"""Check that the wheel in dist/ installs and runs without the checkout.

    python -m build && python scripts/check_release.py [--with-dependencies]

The wheel is installed in a new environment in a temporary folder, and its commands run there with
an empty home. The packages that kpviewer requires are those of this interpreter. With
--with-dependencies they are installed anew, as in a user's first installation: 1.2 GB, no torch.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 3600
COMMANDS = (
    "kpviewer --version",
    "kpviewer models",
    "kpviewer process demo --out out --seconds 1 --video --jsonl",
)
PAGE = "from kpviewer.serving.page_files import NAMES, icon, index, page_file as read; "
PAGE += "index(None), icon(), [read(name) for name in NAMES]"
"""Reads the files of the live page."""
WHERE = "import kpviewer; print(kpviewer.__file__)"


def main() -> int:
    """Create the environment, install, run; exit with 1 if anything fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--with-dependencies", action="store_true")
    given = parser.parse_args()
    wheels = sorted((ROOT / "dist").glob("*.whl"))
    if len(wheels) != 1:
        sys.exit(f"dist/ must hold one wheel, got {len(wheels)}. Empty it, then: make release")
    with tempfile.TemporaryDirectory() as name:
        check(wheels[0], Path(name), given.with_dependencies)
    print(f"{wheels[0].name} installs and runs without the checkout.")
    return 0


def check(wheel: Path, folder: Path, with_dependencies: bool) -> None:
    """Install a wheel below a folder, and run its commands there."""
    home = folder / "home"
    home.mkdir()
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    python = str(scripts / "python")
    keep = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = keep | {"HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    env["PATH"] = f"{scripts}{os.pathsep}{keep['PATH']}"

    def run(*words: str, with_env: dict[str, str] = env) -> str:
        done = subprocess.run(
            words, cwd=home, env=with_env, capture_output=True, text=True, check=False,
            timeout=LIMIT_S,
        )  # fmt: skip
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    install.append(f"{wheel}[serve]")
    run(*install, *([] if with_dependencies else ["--no-deps"]), with_env=keep)
    if not with_dependencies:
        borrow_packages(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
    where = run(python, "-c", WHERE)
    if not Path(where).resolve().is_relative_to(environment.resolve()):
        sys.exit(f"kpviewer must come from the new environment, got {where}")
    run(python, "-c", PAGE)
    for command in COMMANDS:
        print(f"$ {command}\n{run(*command.split())}")


def borrow_packages(site: str) -> None:
    """Make the packages of this interpreter, but not its kpviewer, available in an environment.

    A line of a .pth file adds a folder without the .pth files in it, which would include an
    editable installation.
    """
    own = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    folders = own | {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
    Path(site, "borrowed.pth").write_text("\n".join(sorted(folders)) + "\n", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
