"""The body of a request, within the limits of size and time, in memory only."""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from kpviewer.serving.limits import Limits, RequestError

_FORM = "multipart/form-data"
_COMPRESSED = ("gzip", "x-gzip", "deflate", "br", "zstd")
_CURE = "Send one file, as by curl -F image=@FILE."


async def image_in(request: Request, limits: Limits) -> bytes:
    """Read the image of a request: its body, or the one file of a form.

    Raises:
        RequestError: as from ``body_in``, 415 if it is compressed once more, and 422 if a form
            doesn't have one file.
        ClientDisconnect: if the client has gone.
    """
    coding = request.headers.get("content-encoding", "").lower()
    if coding in _COMPRESSED:
        raise RequestError(415, f"The body is compressed by {coding}. Send the image as it is.")
    if request.headers.get("content-type", "").lower().startswith(_FORM):
        return await _in_time(_file_in, request, limits)
    return await body_in(request, limits)


async def body_in(request: Request, limits: Limits) -> bytes:
    """Read the body of a request.

    Raises:
        RequestError: 413 if it is too large, 408 if it comes too slowly.
        ClientDisconnect: if the client has gone.
    """
    return await _in_time(_whole, request, limits)


async def _in_time(
    read: Callable[[Request, Limits], Awaitable[bytes]], request: Request, limits: Limits
) -> bytes:
    _check_announced(request, limits)
    try:
        async with asyncio.timeout(limits.timeout_s):
            return await read(request, limits)
    except TimeoutError as error:
        raise RequestError(
            408, f"The upload took more than {limits.timeout_s:g} s. Send less, or try again."
        ) from error


async def _whole(request: Request, limits: Limits) -> bytes:
    return b"".join([chunk async for chunk in _within(request, limits)])


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
    files: list[File] = []

    def keep(part: Field | File) -> None:
        if files or not isinstance(part, File):
            raise RequestError(422, f"The form has other parts than one file. {_CURE}")
        files.append(part)

    _, options = parse_options_header(request.headers["content-type"])
    in_memory = {"MAX_MEMORY_FILE_SIZE": math.inf}
    try:
        form = FormParser(_FORM, keep, keep, boundary=options.get(b"boundary"), config=in_memory)
        async for chunk in _within(request, limits):
            form.write(chunk)
    except FormParserError as error:
        raise RequestError(422, f"The form can't be read. {_CURE}") from error
    if not files:
        raise RequestError(422, f"The form has no file, or is cut off. {_CURE}")
    files[0].file_object.seek(0)
    return files[0].file_object.read()


def _too_large(limits: Limits) -> RequestError:
    return RequestError(
        413, f"The body is larger than {limits.max_bytes / 2**20:g} MiB. Send less."
    )
