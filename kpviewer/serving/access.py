"""Who may call the service: a token, or programs of this machine.

Without a token the service listens on this machine only. A page of another site can't use it
through the user's browser: ``Host`` must be a name of this machine, which stops DNS rebinding, and
``Origin``, which browsers add, must be one too. With a token neither is checked, as no other site
knows the token, and the service sets no cookies.
"""

import hmac
import re
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from kpviewer.serving.failures import reject
from kpviewer.serving.limits import RequestError

OPEN_PATHS = frozenset(("/health",))
"""Paths that need no token, as load balancers have none."""
_THIS_MACHINE = r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?"
_HOST = re.compile(_THIS_MACHINE, re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://{_THIS_MACHINE}", re.IGNORECASE)


class Access:
    """ASGI middleware that refuses requests without the token, or from other sites.

    It removes the token from the scope, so that nothing behind it can log it.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given, scope = _without_token(scope)
        refusal = self._refusal(scope["path"], headers, given)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await reject(refusal, scope, receive, send)

    def _refusal(self, path: str, headers: Headers, given: str) -> RequestError | None:
        if self._token is None:
            return _foreign(headers)
        if path in OPEN_PATHS:
            return None
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        shown = bearer.strip() if scheme.lower() == "bearer" else given
        if hmac.compare_digest(shown.encode(), self._token.encode()):
            return None
        return RequestError(
            401, "The token is missing or wrong. Send 'Authorization: Bearer TOKEN' or ?token=."
        )


def _foreign(headers: Headers) -> RequestError | None:
    """Return why a request without a token isn't from this machine; None if it is."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _HOST.fullmatch(host):
        return RequestError(
            403, "The service answers to localhost only. Start it with --token for other names."
        )
    if origin is not None and not _ORIGIN.fullmatch(origin):
        return RequestError(403, "Pages of other sites can't use the service.")
    return None


def _without_token(scope: Scope) -> tuple[str, Scope]:
    """Return the token of the query, and the scope without it."""
    raw = scope["query_string"]
    if b"token" not in raw:
        return "", scope
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
    given = next((value for name, value in pairs if name == "token"), "")
    rest = urlencode([pair for pair in pairs if pair[0] != "token"])
    return given, {**scope, "query_string": rest.encode("latin-1")}
