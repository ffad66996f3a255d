"""Self-signed certificates: kept, private, and for this machine's names."""

import hashlib
import os
import ssl
import stat
import threading

import httpx
import pytest
from fakes import TIMEOUT_S
from live_streams import ThreeBoxes

from kpviewer.errors import KpviewerError
from kpviewer.serving.addresses import machine_names, network_addresses, qr_text, reachable_host
from kpviewer.serving.app import create_app
from kpviewer.serving.self_signed import fingerprint, self_signed
from kpviewer.serving.server import Server, listen, url_of
from kpviewer.serving.service import Service
from kpviewer.serving.tls import certificate_of

NAMES = ("localhost", "127.0.0.1", "::1")


def test_a_certificate_is_made_and_kept(tmp_path):
    first = self_signed(tmp_path / "settings", NAMES)
    before = first.path.read_bytes()
    assert self_signed(tmp_path / "settings", NAMES[:2]).path.read_bytes() == before
    assert certificate_of(first.path) == first


def test_it_is_valid_for_its_names_alone(tmp_path):
    path = self_signed(tmp_path, NAMES).path
    trusting = ssl.create_default_context(cafile=path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    for name, is_valid in (("localhost", True), ("127.0.0.1", True), ("example.com", False)):
        assert _shake_hands(trusting, serving, name) is is_valid


def _shake_hands(trusting: ssl.SSLContext, serving: ssl.SSLContext, name: str) -> bool:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(down, up, server_hostname=name)
    server = serving.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError:
                return False
    return client.version() is not None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_its_user_alone_can_read_the_key(tmp_path):
    before = os.umask(0)
    try:
        path = self_signed(tmp_path, NAMES).path
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_one_is_made_for_other_names_and_in_place_of_a_damaged_one(tmp_path):
    first = fingerprint(self_signed(tmp_path, NAMES))
    second = fingerprint(self_signed(tmp_path, (*NAMES, "192.0.2.9")))
    (tmp_path / "serve.pem").write_bytes(b"\x00 no certificate")
    third = fingerprint(self_signed(tmp_path, NAMES))
    assert len({first, second, third}) == 3


def test_the_fingerprint_is_that_of_browsers(tmp_path):
    certificate = self_signed(tmp_path, NAMES)
    pem = certificate.path.read_text().partition("-----BEGIN PRIVATE")[0]
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    assert fingerprint(certificate).replace(":", "") == digest


def test_the_service_answers_over_tls(tmp_path):
    certificate = self_signed(tmp_path, NAMES)
    service = Service(ThreeBoxes())
    with listen("127.0.0.1", 0) as sock:
        server = Server(create_app(service), service, certificate)
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        try:
            trusting = ssl.create_default_context(cafile=certificate.path)
            url = f"{url_of(*sock.getsockname()[:2], tls=True)}/openapi.json"
            answer = httpx.get(url, verify=trusting, timeout=TIMEOUT_S)
        finally:
            server.should_exit = True
            thread.join()
    assert answer.json()["info"]["title"] == "kpviewer"


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(KpviewerError, match="can't be written"):
        self_signed(tmp_path / "file", NAMES)


def test_names_of_this_machine_begin_with_those_for_itself():
    names = machine_names()
    assert names[:3] == ["localhost", "127.0.0.1", "::1"]
    assert len(names) == len(set(names))
    assert set(network_addresses()) <= set(names)


@pytest.mark.parametrize(("name", "known"), [("büro", {"xn--bro-hoa"}), ("x" * 99, set())])
def test_names_of_other_scripts_and_lengths_are_no_trouble(tmp_path, monkeypatch, name, known):
    monkeypatch.setattr("socket.gethostname", lambda: name)
    names = machine_names()
    assert set(names) - {*NAMES, *network_addresses()} == known
    assert certificate_of(self_signed(tmp_path, names).path)


def test_every_interface_is_reached_by_one_of_its_addresses():
    assert reachable_host("0.0.0.0") in (*network_addresses(), "127.0.0.1")
    assert [reachable_host(host) for host in ("192.0.2.7", "desk.lan")] == ["192.0.2.7", "desk.lan"]


def test_a_qr_code_has_its_quiet_zone_and_finder_patterns():
    lines = [
        line.removeprefix("\x1b[97;40m").removesuffix("\x1b[0m")
        for line in qr_text("https://192.0.2.7:8000/?token=abc").splitlines()
    ]
    assert len({len(line) for line in lines}) == 1
    assert set(lines[0]) == {"█"}
    assert all(line.startswith("██") and line.endswith("██") for line in lines[:-1])
    assert lines[1].startswith("██ ▄▄▄▄▄ █")  # a finder: ring, gap and core (ISO/IEC 18004)
