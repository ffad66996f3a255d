"""The live page of ``kpviewer serve SOURCE``: its stream, and the address that opens it."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from kpviewer.cli.options import all_of, turn_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kpviewer.serving.live_routes import Live
    from kpviewer.serving.service import Service
    from kpviewer.serving.tls import Certificate
    from kpviewer.sources.base import FrameSource

_ANSWER_S = 5.0
"""Time limit for a disk to find a source."""

_LIVE_OPTIONS = ("no_loop", "anonymise", "track", "rotate", "mirror")


live_options = all_of(
    click.option("--no-loop", is_flag=True, help="Stop at the end of a file."),
    click.option("--anonymise", is_flag=True, help="Blur detections on the live page."),
    click.option("--track", is_flag=True, help="Track objects on the live page: IDs, trails."),
)
"""Options of the live page, which ``start_live`` reads."""


def refuse_live_options(given: Mapping[str, Any]) -> None:
    """Refuse options that have no effect without a source.

    Raises:
        click.UsageError: if one is given.
    """
    for name in _LIVE_OPTIONS:
        if given[name]:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is for the live page, which needs a SOURCE: add one.")


def source_maker(source: str, given: Mapping[str, Any]) -> Callable[[], FrameSource]:
    """Return the function that makes a source, which has made it once.

    Raises:
        KpviewerError: if there is no such source, or a package of the extra is missing.
    """
    from kpviewer.pipeline.source.opening import made_within
    from kpviewer.serving.extra import require_extra
    from kpviewer.sources.open import make_source
    from kpviewer.sources.redact import redact_url

    require_extra("aiortc", "ifaddr", "segno")
    turn = turn_of({**given, "ground_truth": None})
    make = partial(
        made_within, _ANSWER_S, source, redact_url(source), partial(make_source, source, turn=turn)
    )
    make()
    return make


def start_live(
    make_source: Callable[[], FrameSource], service: Service, given: Mapping[str, Any]
) -> Live:
    """Open a source, and return its running stream for ``create_app``.

    Raises:
        KpviewerError: if the source can't be opened.
    """
    from kpviewer.overlay import OverlayStyle
    from kpviewer.serving.annotating import LiveOptions
    from kpviewer.serving.live import LiveStream
    from kpviewer.serving.live_routes import Live

    style = OverlayStyle(anonymise=given["anonymise"], tracks=given["track"])
    options = LiveOptions(style, loop=not given["no_loop"])
    stream = LiveStream(make_source, service.engine, options=options)
    live = Live(stream, service)
    stream.start()
    return live


def page_address(host: str, port: int, token: str | None, *, tls: bool) -> str:
    """Return the address of the page, with its token, for a browser in the same network."""
    from kpviewer.serving.addresses import reachable_host
    from kpviewer.serving.server import url_of

    query = f"?token={token}" if token else ""  # its letters need no escapes
    return f"{url_of(reachable_host(host), port, tls=tls)}/{query}"


def print_page(address: str, *, is_reachable: bool) -> None:
    """Print the address of the page, and for a phone beside a terminal its QR code."""
    click.echo(f"Page: {address}")
    if is_reachable and sys.stdout.isatty():
        from kpviewer.serving.addresses import qr_text

        click.echo(qr_text(address))


def self_signed_certificate() -> Certificate:
    """Return the certificate of this machine in the settings folder; make it if it is needed."""
    from kpviewer.config.files import settings_folder
    from kpviewer.serving.addresses import machine_names
    from kpviewer.serving.extra import require_extra

    require_extra("cryptography", "ifaddr")
    from kpviewer.serving.self_signed import self_signed

    return self_signed(settings_folder(), machine_names())


def print_fingerprint(certificate: Certificate) -> None:
    """Print what to compare with a browser's warning."""
    from kpviewer.serving.self_signed import fingerprint

    click.echo(
        f"Certificate: {certificate.path}; browsers warn, as it is self-signed. SHA-256:\n"
        f"{fingerprint(certificate)}"
    )
