"""Download of weights on request, from a server on this machine."""

import hashlib
import io
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kpviewer.errors import WeightsError
from kpviewer.gui.settings.recent import is_there
from kpviewer.models.opening.weight_files import (
    EVERYDAY_OBJECTS,
    Download,
    DownloadCancelled,
    WeightFile,
    torch_cache,
)
from kpviewer.system.locks import lock

CONTENT = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    """Server of one file, with faults."""

    daemon_threads = False
    block_on_close = True
    takes_ranges, cuts_at, redirect, status = True, None, None, 200
    content = CONTENT

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/things_coco-00.pth"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server, wanted = self.server, self.headers["Range"]
        server.ranges.append(wanted)
        begin = int(wanted[6:-1]) if wanted and server.takes_ranges else 0
        if server.redirect:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.end_headers()
            return
        if server.status != 200:
            self.send_error(server.status)
            return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(server.content) - begin))
        self.end_headers()
        self.wfile.write(server.content[begin : server.cuts_at])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def file(server, tmp_path, monkeypatch) -> WeightFile:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    digest = hashlib.sha256(CONTENT).hexdigest()
    return WeightFile("torchvision:things", server.url, digest, len(CONTENT))


def left(file: WeightFile) -> list[str]:
    folder = file.path.parent
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_file_comes_into_torch_s_cache_and_only_once(file, server):
    download = Download(file)
    assert not file.path.exists()
    assert download.run() == file.path
    assert file.path.read_bytes() == CONTENT
    assert download.done_bytes == len(CONTENT)
    assert Download(file).run() == file.path
    assert server.ranges == [None]
    assert left(file) == ["things_coco-00.pth"]


@pytest.mark.parametrize("takes_ranges", [True, False])
def test_a_broken_download_is_continued(file, server, takes_ranges):
    server.cuts_at = 100_000
    with pytest.raises(WeightsError, match=r"can't be downloaded .*Try again, or fetch http"):
        Download(file).run()
    assert left(file) == ["things_coco-00.pth.part"]
    server.cuts_at, server.takes_ranges = None, takes_ranges
    Download(file).run()
    assert server.ranges == [None, "bytes=100000-"]
    assert file.path.read_bytes() == CONTENT


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) - 1])
def test_another_file_is_deleted(file, server, size):
    other = replace(file, sha256="0" * 64, size_bytes=size)
    with pytest.raises(WeightsError, match="sent another file than things_coco-00"):
        Download(other).run()
    assert left(file) == []


def test_a_cancelled_download_keeps_what_has_come(file):
    download = Download(file)
    download.cancel()
    with pytest.raises(DownloadCancelled):
        download.run()
    assert left(file) == ["things_coco-00.pth.part"]
    assert Download(file).run() == file.path


@pytest.mark.skipif(sys.platform == "win32", reason="it locks no open file")
def test_a_file_that_another_window_downloads_is_left_to_it(file):
    part = file.path.with_name(f"{file.path.name}.part")
    part.parent.mkdir(parents=True)
    with part.open("wb") as other:
        assert lock(other.fileno())
        other.write(CONTENT[:1000])
        other.flush()
        with pytest.raises(WeightsError, match=r"downloaded by another kpviewer. Wait for it\."):
            Download(file).run()
        assert part.read_bytes() == CONTENT[:1000]
    Download(file).run()
    assert file.path.read_bytes() == CONTENT


def test_without_a_connection_the_message_says_what_to_do(file, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(WeightsError) as failed:
        Download(file).run()
    assert str(failed.value) == (
        "things_coco-00.pth can't be downloaded (connection refused). "
        f"Try again, or fetch {file.url} elsewhere and put it into {file.path.parent}."
    )


def test_a_server_without_the_file_is_named(file, server):
    server.status = 404
    with pytest.raises(WeightsError, match="the server answered 404"):
        Download(file).run()


def test_a_redirect_may_not_change_the_protocol(file, server):
    server.redirect = "ftp://127.0.0.1/things.pth"
    with pytest.raises(WeightsError, match="it redirects to another protocol"):
        Download(file).run()


def test_a_folder_that_cannot_be_written_is_reported(file, tmp_path):
    (tmp_path / "torch").write_text("a file")
    with pytest.raises(WeightsError, match="can't be downloaded"):
        Download(file).run()


def test_the_file_is_the_one_that_torchvision_loads(tmp_path, monkeypatch):
    hub = pytest.importorskip("torch.hub")
    detection = pytest.importorskip("torchvision.models.detection")
    weights = detection.SSDLite320_MobileNet_V3_Large_Weights.COCO_V1
    assert EVERYDAY_OBJECTS.url == weights.url
    assert EVERYDAY_OBJECTS.sha256.startswith(weights.url.rpartition("-")[2].removesuffix(".pth"))
    assert EVERYDAY_OBJECTS.size_bytes / 2**20 == pytest.approx(weights.meta["_file_size"], 1e-4)
    for name, value in (("TORCH_HOME", str(tmp_path)), ("XDG_CACHE_HOME", str(tmp_path / "x"))):
        monkeypatch.setenv(name, value)
        assert str(torch_cache()) == f"{hub.get_dir()}/checkpoints"
        monkeypatch.delenv(name)
    assert str(torch_cache()) == f"{hub.get_dir()}/checkpoints"


def test_a_remembered_model_is_not_downloaded_again(file):
    assert not is_there("torchvision:things")
    Download(file).run()
    assert is_there("torchvision:things")
    assert is_there("torchvision:things@640")
    assert not is_there("torchvision:thing@640")


def test_torchvision_loads_the_file_that_was_downloaded(server, file, monkeypatch):
    torch = pytest.importorskip("torch")
    zoo = pytest.importorskip("kpviewer.models.opening.zoo")
    model = EVERYDAY_OBJECTS.model.removeprefix("torchvision:")
    made = zoo.build_zoo_detector(model).network.detector.state_dict()
    content = io.BytesIO()
    torch.save(made, content)
    monkeypatch.setattr(server, "content", content.getvalue(), raising=False)
    served = replace(
        EVERYDAY_OBJECTS,
        url=server.url.replace("things_coco-00.pth", EVERYDAY_OBJECTS.name),
        sha256=hashlib.sha256(content.getvalue()).hexdigest(),
        size_bytes=len(content.getvalue()),
    )
    Download(served).run()
    loaded = zoo.open_torchvision(EVERYDAY_OBJECTS.model)
    assert len(loaded.spec.class_names) == 80
    name = "head.regression_head.module_list.0.1.weight"
    assert torch.equal(loaded.network.detector.state_dict()[name], made[name])
