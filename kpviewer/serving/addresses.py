"""Addresses of this machine, under which others in its network can open the page."""

import io
import ipaddress
import socket

import ifaddr
import segno


def machine_names() -> list[str]:
    """Return the names and addresses of this machine, those for itself first; no duplicates."""
    names = ["localhost", "127.0.0.1", "::1", _own_name(), *network_addresses()]
    return list(dict.fromkeys(name for name in names if name))


def _own_name() -> str:
    """Return the name of this machine as certificates spell it; empty if they can't."""
    try:
        return socket.gethostname().encode("idna").decode()
    except UnicodeError:
        return ""


def network_addresses() -> list[str]:
    """Return the addresses of this machine in its networks, as read from its interfaces.

    Those of private networks come first, and IPv4, which is shorter to type, before IPv6.
    """
    found = []
    for adapter in ifaddr.get_adapters():
        for each in adapter.ips:
            text = each.ip if isinstance(each.ip, str) else each.ip[0]
            address = ipaddress.ip_address(text)
            if not (address.is_loopback or address.is_link_local):
                found.append(address)
    found.sort(key=lambda each: (each.version, not each.is_private))
    return [str(each) for each in dict.fromkeys(found)]


def reachable_host(host: str) -> str:
    """Return the host to open in a browser, where the service listens on ``host``.

    Args:
        host: name or address; ``0.0.0.0`` and ``::`` stand for every interface.
    """
    try:
        is_every = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        is_every = False
    if not is_every:
        return host
    return next(iter(network_addresses()), "127.0.0.1")


_QUIET_MODULES = 2
"""Width of the light frame; scanners of phones need no more."""


def qr_text(address: str) -> str:
    """Return a QR code in half blocks.

    Its colours are set: a code drawn in those of a light terminal would be a negative.
    """
    text = io.StringIO()
    segno.make(address, micro=False, error="l").terminal(text, border=_QUIET_MODULES, compact=True)
    return "\n".join(f"\x1b[97;40m{line}\x1b[0m" for line in text.getvalue().splitlines())
