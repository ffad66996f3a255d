"""Refusals and failures as answers: a status code and ``{"error": "one line"}``."""

import logging
from collections.abc import Sequence
from logging import DEBUG
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from kpviewer.serving.limits import RequestError
from kpviewer.serving.reasons import reason_of

RETRY_AFTER_S = 1
"""Time after which a refused request may come again: tens of answers."""
CLIENT_GONE = 499
"""Status code in the metrics for a client that didn't wait for its answer."""
_LONGEST_SHOWN = 60
_WORDS = {
    404: "There is no such address. GET /openapi.json lists them.",
    405: "The address doesn't take this method. GET /openapi.json lists them.",
}
_log = logging.getLogger(__name__)


def answer_of(error: RequestError) -> JSONResponse:
    """Return a refusal as an answer."""
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.status == 503 else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": " ".join(str(error).split())}, error.status, headers)


async def refuse_unknown(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request, or a WebSocket, whose address no route has."""
    await reject(RequestError(404, _WORDS[404]), scope, receive, send)


async def reject(error: RequestError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or the opening of a WebSocket, with a refusal."""
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer_of(error))
    else:
        await answer_of(error)(scope, receive, send)


def failure_of(error: Exception) -> RequestError:
    """Return the answer to a failure of the service, and log it."""
    _log.warning("A request failed: %s", reason_of(error), exc_info=_log.isEnabledFor(DEBUG))
    return RequestError(500, f"The service failed: {reason_of(error)}")


def add_failure_answers(app: FastAPI) -> None:
    """Make every error of a request an answer in one line."""

    @app.exception_handler(RequestError)
    async def refused(_request: Request, error: RequestError) -> JSONResponse:
        return answer_of(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return answer_of(RequestError(422, first_problem(error.errors())))

    @app.exception_handler(WebSocketRequestValidationError)
    async def invalid_stream(socket: WebSocket, error: WebSocketRequestValidationError) -> None:
        refusal = RequestError(422, first_problem(error.errors()))
        await socket.send_denial_response(answer_of(refusal))

    @app.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_GONE)

    @app.exception_handler(HTTPException)
    async def unknown(_request: Request, error: HTTPException) -> JSONResponse:
        text = _WORDS.get(error.status_code, str(error.detail))
        answer = answer_of(RequestError(error.status_code, text))
        answer.headers.update(error.headers or {})  # such as Allow, beside 405
        return answer

    @app.exception_handler(Exception)
    async def failed(_request: Request, error: Exception) -> JSONResponse:
        return answer_of(failure_of(error))


def first_problem(problems: Sequence[Any]) -> str:
    """Return the first thing that pydantic finds wrong with parameters, in one line."""
    first = problems[0]
    if not first["loc"]:
        return 'The thresholds must be a JSON object, such as {"conf": 0.5}.'
    name = str(first["loc"][-1])[:_LONGEST_SHOWN]
    if first["type"] == "extra_forbidden":
        return f"There is no parameter {name!r}. GET /openapi.json lists them."
    rule = str(first["msg"]).replace("Input should", "should").replace("should be", "must be")
    return f"{name} {rule}, got {str(first.get('input'))[:_LONGEST_SHOWN]!r}."
