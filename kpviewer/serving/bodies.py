"""The body of a request, within the limits of size and time, in memory only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kpviewer.serving.forms import FormFile
from kpviewer.serving.limits import Limits, RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi import Request


async def image_in(request: Request, limits: Limits) -> bytes:
    """Read the image of a request: its body, or the one file of a form.

    Raises:
        RequestError: 413 if the body is too large, 408 if it comes too slowly, 422 if a form
            doesn't have one file.
        ClientDisconnect: if the client has gone.
    """
    _check_announced(request, limits)
    try:
        async with asyncio.timeout(limits.timeout_s):
            if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
                return await _file_in(request, limits)
            return b"".join([chunk async for chunk in _within(request, limits)])
    except TimeoutError as error:
        raise RequestError(
            408, f"The upload took more than {limits.timeout_s:g} s. Send a smaller image."
        ) from error


def _check_announced(request: Request, limits: Limits) -> None:
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limits.max_bytes:
        raise _too_large(limits)


async def _within(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > limits.max_bytes:
            raise _too_large(limits)
        yield chunk


async def _file_in(request: Request, limits: Limits) -> bytes:
    form = FormFile(request.headers["content-type"])
    async for chunk in _within(request, limits):
        form.write(chunk)
    return form.data()


def _too_large(limits: Limits) -> RequestError:
    return RequestError(
        413, f"The body is larger than {limits.max_bytes / 2**20:g} MiB. Send a smaller image."
    )
