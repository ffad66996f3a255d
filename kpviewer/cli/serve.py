"""``kpviewer serve``: a model as a service over HTTP and WebSocket."""

from __future__ import annotations

import contextlib
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpviewer.cli.options import (
    FiniteRange,
    batch_option,
    engine_options,
    model_options,
    print_notes,
    turn_options,
)
from kpviewer.cli.serve_live import (
    live_options,
    page_address,
    print_fingerprint,
    print_page,
    refuse_live_options,
    self_signed_certificate,
    source_maker,
    start_live,
)
from kpviewer.models.names.models import with_layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpviewer.pipeline.protocols import InferenceEngine
    from kpviewer.serving.tls import Certificate

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,200}")
_TOKEN_BYTES = 24


@click.command()
@click.argument("source", required=False)
@model_options
@engine_options
@batch_option
@click.option("--host", default="127.0.0.1", help="Interface to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    help="Port to listen on; 0 finds a free one.",
)
@click.option(
    "--token",
    envvar="KPVIEWER_TOKEN",
    help="Secret that every request must show; read from KPVIEWER_TOKEN, too.  "
    "[default: none on this machine, else a new one, which is printed]",
)
@click.option(
    "--queue",
    type=click.IntRange(1, 10_000),
    default=64,
    help="Maximum number of requests in progress; others are answered 503 at once.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    default=16 * 2**20,
    help="Maximum size of an image, bytes.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=25_000_000,
    help="Maximum number of pixels of an image.",
)
@click.option(
    "--timeout",
    type=FiniteRange(0.1, 3600),
    default=30.0,
    metavar="S",
    help="Seconds for an upload, and for its answer.",
)
@click.option(
    "--tls", is_flag=True, help="Serve https, with a self-signed certificate if none is given."
)
@click.option(
    "--tls-cert",
    metavar="CERT",
    help="Certificate for https: a PEM file, with its key or --tls-key.",
)
@click.option("--tls-key", metavar="KEY", help="Key of the certificate: a PEM file.")
@live_options
@turn_options
def command(source: str | None, host: str, port: int, token: str | None, **given: Any) -> None:
    """Answer HTTP and WebSocket requests with detections; show SOURCE on a web page.

    \b
    curl --data-binary @image.jpg http://127.0.0.1:8000/detect

    SOURCE is what kpviewer view opens, such as a camera, a video or an address. A web page shows
    it live with its detections. A phone that opens the page can make its own camera the source,
    which needs --tls.
    """  # noqa: D301
    from kpviewer.serving.extra import require_extra

    require_extra()
    _serve(source, host, port, token, given)


def _serve(
    source: str | None, host: str, port: int, token: str | None, given: Mapping[str, Any]
) -> None:
    from kpviewer.overlay import ensure_gui_application
    from kpviewer.serving.app import create_app
    from kpviewer.serving.limits import Limits
    from kpviewer.serving.server import Server, is_loopback, listen, run_server, url_of
    from kpviewer.serving.service import Service

    limits = Limits(
        queue=given["queue"],
        max_bytes=given["max_bytes"],
        max_pixels=given["max_pixels"],
        timeout_s=given["timeout"],
    )
    own_token = _checked(token)
    token = own_token or (None if is_loopback(host) else secrets.token_urlsafe(_TOKEN_BYTES))
    tls = _certificate(given)
    if source is None:
        refuse_live_options(given)
    make_source = source_maker(source, given) if source is not None else None
    with listen(host, port) as sock:  # before the model is loaded: a taken port shows at once
        ensure_gui_application()
        service = Service(_engine(given), limits, token=token, batch=given["batch"])
        print_notes(service.spec)
        live = start_live(make_source, service, given) if make_source is not None else None
        with contextlib.closing(live.stream) if live is not None else contextlib.nullcontext():
            server = Server(create_app(service, live), service, tls)
            own_host, port = sock.getsockname()[:2]
            url = url_of(own_host, port, tls=tls is not None)
            click.echo(f"{service.spec.name} at {url} (Ctrl-C ends)")
            if token != own_token:
                click.echo(f"Token: {token} (new at each start; --token sets your own)")
            if tls is not None and given["tls_cert"] is None:
                print_fingerprint(tls)
            if live is not None:
                address = page_address(host, port, token, tls=tls is not None)
                print_page(address, is_reachable=not is_loopback(host))
            run_server(server, sock)


def _engine(given: Mapping[str, Any]) -> InferenceEngine:
    from kpviewer.models.loading import open_model
    from kpviewer.runtime.executor import Executor

    detector = open_model(with_layout(given["model"], given["layout"]))
    return Executor(detector, given["device"], given["precision"], given["backend"])


def _checked(token: str | None) -> str | None:
    """Return a token of the user.

    Raises:
        click.BadParameter: if it is too short, or can't be part of an address.
    """
    if token is not None and not _TOKEN.fullmatch(token):
        raise click.BadParameter(
            "it must have 8 to 200 letters, digits, or any of - . _ ~", param_hint="--token"
        )
    return token


def _certificate(given: Mapping[str, Any]) -> Certificate | None:
    """Return the certificate for https that was given or is to be made; None: no https."""
    path, key = given["tls_cert"], given["tls_key"]
    if path is not None:
        from kpviewer.serving.tls import certificate_of

        return certificate_of(Path(path), Path(key) if key else None)
    if key is not None:
        raise click.UsageError("--tls-key needs its certificate: add --tls-cert CERT.")
    return self_signed_certificate() if given["tls"] else None
