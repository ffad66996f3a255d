"""Run the steps of the Dockerfile in an empty Debian root, for machines without Docker.

    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm ROOT
    python scripts/check_dockerfile.py ROOT [--build-arg TORCH_INDEX=] [--env PIP_CERT=...]

Debian's Python stands for the one of the base image, and both stages share the root. Then the entry
point is started with its user, the health check must succeed, and an image must be answered. Needs
root. Nothing is isolated: use a root that you can throw away.
"""

import json
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import click

FILE = Path(__file__).resolve().parents[1] / "Dockerfile"
TOKEN = "checked-token"
START_S, STEP_S = 180, 1.0


@dataclass(slots=True)
class Root:
    """An empty root, and the state that the instructions have reached."""

    path: Path
    arguments: dict[str, str]
    passed: dict[str, str]
    """Variables for all steps, such as the certificates of a mirror."""
    variables: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    folder: str = "/"

    def command(self, words: list[str]) -> list[str]:
        """Return the command line that runs words in the root."""
        known = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root"}
        known |= self.arguments | self.passed | self.variables
        if self.user != "0":
            known["HOME"] = self.folder
        environment = [f"{name}={value}" for name, value in known.items()]
        enter = ["chroot", f"--userspec={self.user}:{self.user}", str(self.path)]
        inside = ["sh", "-c", f'cd {shlex.quote(self.folder)} && exec "$@"', "sh", *words]
        return [*enter, "env", "-i", *environment, *inside]


def instructions(path: Path) -> list[tuple[str, str]]:
    """Return name and text of each instruction; comments are left out."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    parts = (line.strip().partition(" ") for line in joined if line.strip())
    return [(name, text.strip()) for name, _, text in parts]


def run_step(root: Root, name: str, text: str) -> None:
    """Run one instruction of a build."""
    match name:
        case "FROM":
            root.variables, root.user, root.folder = {}, "0", "/"
        case "ARG":
            key, _, value = text.partition("=")
            root.arguments.setdefault(key, value)
        case "ENV":
            pairs = dict(word.split("=", 1) for word in shlex.split(text))
            path = root.variables.get("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            root.variables |= {key: value.replace("$PATH", path) for key, value in pairs.items()}
        case "WORKDIR":
            root.folder = text
            (root.path / text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "USER":
            root.user = text
        case "COPY" if not text.startswith("--from"):
            *sources, target = text.split()
            copy(root, sources, target)
        case "RUN":
            subprocess.run(root.command(["sh", "-c", text]), check=True)


def copy(root: Root, sources: list[str], target: str) -> None:
    """Copy files of the checkout into the root's present folder."""
    folder = root.path / root.folder.lstrip("/")
    for source in sources:
        path = FILE.parent / source
        if path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, folder / target, dirs_exist_ok=True, ignore=ignored)
        else:
            shutil.copy(path, folder / target)


def check_service(root: Root, entry: list[str], health: list[str]) -> None:
    """Start the entry point, wait until it is healthy, and let it answer an image."""
    root.variables["KPVIEWER_TOKEN"] = TOKEN
    image = (FILE.parent / "assets" / "screenshot.png").read_bytes()
    with subprocess.Popen(root.command(entry)) as server:
        try:
            deadline = time.monotonic() + START_S
            while subprocess.call(root.command(health), stderr=subprocess.DEVNULL):
                if server.poll() is not None or time.monotonic() > deadline:
                    sys.exit("The service didn't become healthy.")
                time.sleep(STEP_S)
            click.echo("healthy")
            for query in ("", "?format=image"):
                request = urllib.request.Request(
                    f"http://127.0.0.1:8000/detect{query}",
                    data=image,
                    headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "image/png"},
                )
                with urllib.request.urlopen(request, timeout=60) as answer:
                    body = answer.read()
                    click.echo(f"{answer.status} {answer.headers['Content-Type']} {len(body)} B")
        finally:
            server.terminate()
            server.wait(30)


@click.command()
@click.argument("root", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--build-arg", "arguments", multiple=True, metavar="KEY=VALUE")
@click.option("--env", "passed", multiple=True, metavar="KEY=VALUE", help="For all steps.")
@click.option("--only-start", is_flag=True, help="Skip RUN and COPY; the steps ran before.")
def main(root: Path, arguments: tuple[str, ...], passed: tuple[str, ...], only_start: bool) -> None:
    """Run the steps of the Dockerfile in ROOT, then start the service."""
    state = Root(
        root.resolve(),
        dict(each.split("=", 1) for each in arguments),
        dict(each.split("=", 1) for each in passed),
    )
    entry: list[str] = []
    health: list[str] = []
    for name, text in instructions(FILE):
        click.echo(f"{name} {text[:90]}")
        if name == "ENTRYPOINT":
            entry = json.loads(text)
        elif name == "HEALTHCHECK":
            health = json.loads(text.partition("CMD ")[2])
        elif not (only_start and name in ("RUN", "COPY")):
            run_step(state, name, text)
    check_service(state, entry, health)


if __name__ == "__main__":
    main()
