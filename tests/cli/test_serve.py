"""``kpviewer serve``: its options, its messages, and its end. What it answers: tests/serving."""

import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner, Result
from fakes import FakeEngine, eventually

from kpviewer.cli.main import main
from kpviewer.serving import extra
from kpviewer.serving.self_signed import self_signed
from kpviewer.serving.server import Server, listen


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["serve", *args])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Tokens of the servers that were run, none of which serves."""
    tokens: list[str | None] = []

    def note(server: Server, sock: socket.socket) -> None:
        tokens.append(server.service.token)

    monkeypatch.setattr("kpviewer.serving.server.run_server", note)
    monkeypatch.setattr("kpviewer.cli.serve._engine", lambda _given: FakeEngine())
    return tokens


def test_this_machine_needs_no_token(served):
    result = run("--port", "0")
    assert re.fullmatch(r"fake at http://127\.0\.0\.1:\d+ \(Ctrl-C ends\)\n", result.output)
    assert served == [None]


def test_other_machines_need_a_token_which_is_new_each_time(served):
    outputs = [run("--port", "0", "--host", "0.0.0.0").output for _ in range(2)]
    assert None not in served
    assert len(set(served)) == 2
    assert all(f"Token: {token} " in output for token, output in zip(served, outputs, strict=True))


def test_a_token_of_ones_own_is_not_printed(served, monkeypatch):
    assert "my-own-token" not in run("--port", "0", "--token", "my-own-token").output
    monkeypatch.setenv("KPVIEWER_TOKEN", "of-the-environment")
    run("--port", "0", "--host", "0.0.0.0")
    assert served == ["my-own-token", "of-the-environment"]


def test_a_given_certificate_is_not_called_self_signed(served, tmp_path):
    path = self_signed(tmp_path, ["localhost"]).path
    result = run("--port", "0", "--tls", "--tls-cert", str(path))
    assert served == [None]
    assert result.output.startswith("fake at https://")
    assert "self-signed" not in result.output


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--token", "short"], "8 to 200 letters"),
        (["--token", "with spaces in it"], "8 to 200 letters"),
        (["--tls-key", "key.pem"], "--tls-cert"),
        (["--tls-cert", "nowhere.pem"], "can't be used for https"),
        (["--tls-cert", __file__], "can't be used for https"),
        (["--host", "192.0.2.1"], "no address of this machine"),
        (["--track"], "--track is for the live page"),
        (["--no-loop"], "--no-loop is for the live page"),
        (["--rotate", "90"], "--rotate is for the live page"),
    ],
)
def test_what_cant_be_is_refused_in_a_line(args, words):
    result = run("--port", "0", *args)
    assert result.exit_code in (1, 2)
    assert words in result.output.splitlines()[-1]


def test_a_taken_port_is_reported_before_the_model_is_loaded():
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        result = run("--port", str(port), "--model", "nowhere")
    assert (
        result.output
        == f"Error: Port {port} is in use. Choose another with --port; 0 finds a free one.\n"
    )


def test_a_missing_extra_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "fastapi" else object())
    result = run()
    assert result.exit_code == 1
    assert result.output == (
        "Error: kpviewer serve requires packages that aren't installed: fastapi. "
        'Run: pip install "kpviewer[serve]"\n'
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_program_with_its_exit_code(number):
    command = [sys.executable, "-m", "kpviewer", "serve", "--port", "0", "--model", "strip-grid"]
    command += ["--backend", "onnxruntime", "--precision", "fp32"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split()[2]
        eventually(lambda: is_ready(url))
        process.send_signal(number)
        assert process.wait() == 128 + number
        assert process.stderr.read() == ""


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False
