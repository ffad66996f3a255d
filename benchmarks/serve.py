"""Load test of ``kpviewer serve``: latency and throughput by number of clients, errors, memory.

Starts a service in a process of its own, and asks it from this one. Each client sends the next
image once it has the answer to the last. Prints a table for docs/guide/serving.md.

    python benchmarks/serve.py --model face-ssd --clients 1,8,32 --seconds 20
"""

import argparse
import asyncio
import io
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from tabulate import tabulate

PHOTOGRAPH = Path(__file__).parents[1] / "kpviewer/assets/eileen_collins.webp"
READY_S = 300.0


@dataclass
class Load:
    """What a number of clients got."""

    clients: int
    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    rss_mb: tuple[float, float] = (0.0, 0.0)
    """Memory of the service before and after."""

    def row(self) -> list[str]:
        """Return the cells of the table."""
        p50, p95, p99 = np.percentile(self.latencies_s, (50, 95, 99)) * 1000
        errors = sum(count for code, count in self.codes.items() if code != 200)
        return [
            str(self.clients),
            str(len(self.latencies_s)),
            *(f"{value:.0f}" for value in (p50, p95, p99)),
            f"{len(self.latencies_s) / self.seconds:.0f}",
            str(errors),
            " → ".join(f"{value:.0f}" for value in self.rss_mb),
        ]


HEADERS = (
    "clients", "requests", "p50, ms", "p95, ms", "p99, ms", "requests/s", "errors", "memory, MB",
)  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="face-ssd")
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--batch", default="1", help="as of kpviewer serve")
    parser.add_argument("--path", default="/detect", help="/detect?format=image draws, too")
    given = parser.parse_args()
    image = jpeg((640, 480))
    with service(given.model, given.batch) as url:
        asyncio.run(load(url, given.path, image, 8, 3.0))  # memory of the first batches
        rows = []
        for clients in map(int, given.clients.split(",")):
            measured = asyncio.run(load(url, given.path, image, clients, given.seconds))
            rows.append(measured.row())
    print(tabulate(rows, HEADERS, tablefmt="github", disable_numparse=True))


def jpeg(size_wh: tuple[int, int]) -> bytes:
    """Return the photograph at a size."""
    file = io.BytesIO()
    with Image.open(PHOTOGRAPH) as image:
        image.convert("RGB").resize(size_wh).save(file, "JPEG", quality=90)
    return file.getvalue()


@contextmanager
def service(model: str, batch: str) -> Iterator[str]:
    """Run a service on a free port; return its address once it is ready."""
    command = [sys.executable, "-m", "kpviewer", "serve", "--port", "0", "--model", model]
    with subprocess.Popen([*command, "--batch", batch], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            url = child.stdout.readline().split()[2]
            wait_until_ready(url)
            yield url
        finally:
            child.terminate()


def wait_until_ready(url: str) -> None:
    """Wait until the model is prepared."""
    deadline_s = time.monotonic() + READY_S
    while time.monotonic() < deadline_s:
        with suppress(urllib.error.URLError), urllib.request.urlopen(f"{url}/health"):
            return
        time.sleep(0.2)
    sys.exit(f"The service wasn't ready within {READY_S:.0f} s.")


async def load(url: str, path: str, image: bytes, clients: int, seconds: float) -> Load:
    """Ask for some seconds with some clients at once."""
    host = urlsplit(url).netloc
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(image)}\r\n\r\n"
    measured = Load(clients)
    before = rss_mb(url)
    begun_s = time.perf_counter()
    until_s = begun_s + seconds
    each = (ask(host, head.encode() + image, until_s, measured) for _ in range(clients))
    await asyncio.gather(*each)
    measured.seconds = time.perf_counter() - begun_s
    measured.rss_mb = (before, rss_mb(url))
    return measured


async def ask(host: str, request: bytes, until_s: float, measured: Load) -> None:
    """Be one client: plain HTTP, which takes little of the processor that the model needs."""
    reader, writer = await asyncio.open_connection(*host.rsplit(":", 1))
    while (begun_s := time.perf_counter()) < until_s:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length is not None, head
        await reader.readexactly(int(length[1]))
        measured.latencies_s.append(time.perf_counter() - begun_s)
        measured.codes[int(head.split(b" ", 2)[1])] += 1
    writer.close()
    await writer.wait_closed()


def rss_mb(url: str) -> float:
    """Return the memory of the service by its own metrics."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        found = re.search(r"^process_resident_memory_bytes (\S+)", answer.read().decode(), re.M)
    return float(found[1]) / 1e6 if found else float("nan")


if __name__ == "__main__":
    main()
