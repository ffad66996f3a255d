"""``kpviewer serve SOURCE``: its refusals, the address that it prints, and its end."""

import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from kpviewer.cli.main import main
from kpviewer.cli.serve_live import page_address, print_page
from kpviewer.serving import extra

httpx = pytest.importorskip("httpx", reason="httpx isn't installed")
pytest.importorskip("aiortc", reason="the extra serve isn't installed")
LIMIT_S = 120


def test_a_source_that_is_missing_is_refused_before_the_model_is_loaded():
    done = CliRunner().invoke(main, ["serve", "missing.mp4", "--model", "missing.onnx"])
    assert done.exit_code == 3
    assert done.stderr.startswith("Error: File not found: missing.mp4.")


def test_a_missing_package_is_named_with_its_cure(monkeypatch):
    monkeypatch.setattr(
        extra, "find_spec", lambda name: None if name == "aiortc" else find_spec(name)
    )
    done = CliRunner().invoke(main, ["serve", "demo"])
    assert done.exit_code == 1
    assert 'aiortc. Run: pip install "kpviewer[serve]"' in done.stderr


@pytest.mark.parametrize(
    ("host", "token", "tls", "address"),
    [
        ("127.0.0.1", None, False, "http://127.0.0.1:8000/"),
        ("192.0.2.7", "abc-._~1", True, "https://192.0.2.7:8000/?token=abc-._~1"),
        ("fd00::2", None, False, "http://[fd00::2]:8000/"),
    ],
    ids=["loopback", "token", "IPv6"],
)
def test_the_address_of_the_page_can_be_opened(host, token, tls, address):
    assert page_address(host, 8000, token, tls=tls) == address


def test_the_qr_code_is_for_phones_and_terminals(monkeypatch, capsys):
    print_page("http://192.0.2.7:8000/", is_reachable=True)
    assert capsys.readouterr().out == "Page: http://192.0.2.7:8000/\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_page("http://192.0.2.7:8000/", is_reachable=True)
    assert "█" in capsys.readouterr().out
    print_page("http://127.0.0.1:8000/", is_reachable=False)
    assert "█" not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_the_demo_is_served_over_tls_until_ctrl_c(tmp_path):
    command = [
        *(sys.executable, "-m", "kpviewer", "serve", "demo", "--port", "0", "--tls"),
        *("--token", "abcdefgh-1", "--backend", "openvino", "--precision", "fp32"),
    ]
    env = os.environ | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            page = next(line.split()[1] for line in lines if line.startswith("Page:"))
            with httpx.Client(verify=False, timeout=LIMIT_S) as client:
                assert "<title>kpviewer</title>" in client.get(page).text
                assert client.get(page.partition("?")[0]).status_code == 401
                stream = page.replace("/?", "/live.mjpg?")
                with client.stream("GET", stream) as answer:
                    seen = b""
                    for chunk in answer.iter_bytes():
                        seen += chunk
                        if len(re.findall(b"Content-Length", seen)) == 3:
                            break
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert (tmp_path / "kpviewer" / "serve.pem").is_file()
