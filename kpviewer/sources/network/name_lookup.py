"""Host name look-up with a time limit, which the system's look-up lacks."""

import ipaddress
import os
import socket
import threading

from kpviewer.sources.network.address import split_address
from kpviewer.sources.video.call_limit import CallLimit

_POLL_S = 0.05


def look_up_host(url: str, limit: CallLimit) -> None:
    """Look up the host of an address, so that connecting doesn't wait for it.

    A look-up can't be interrupted. It runs in a thread, which is abandoned when the time is up.

    Raises:
        TimeoutError: if ``limit`` expires before the name server answers.
        OSError: if there is no such host.
    """
    address = split_address(url)
    host = address.host
    if _is_number(host) or (address.is_http and os.environ.get("http_proxy")):
        return
    found: list[OSError | None] = []
    done = threading.Event()

    def ask() -> None:
        try:
            socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found.append(None)
        except OSError as error:
            found.append(error)
        except UnicodeError:  # a label is empty or too long
            found.append(OSError("not a valid host name"))
        done.set()

    threading.Thread(target=ask, name="kpviewer-name-lookup", daemon=True).start()
    while not done.wait(_POLL_S):
        if limit.is_expired:
            raise TimeoutError
    if found[0] is not None:
        raise found[0]


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
