"""The body of a request, within the limits of size and time, in memory only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

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
    parser = MultiPartParser(request.headers, _within(request, limits), max_files=1, max_fields=0)
    parser.spool_max_size = limits.max_bytes + 1  # never on a disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise RequestError(
            422, f"The form can't be read: {error.message} Send one file."
        ) from error
    try:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if len(files) != 1:
            raise RequestError(422, f"The form must have one file, got {len(files)}.")
        return await files[0].read()
    finally:
        await form.close()


def _too_large(limits: Limits) -> RequestError:
    return RequestError(
        413, f"The body is larger than {limits.max_bytes / 2**20:g} MiB. Send a smaller image."
    )
