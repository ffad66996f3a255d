"""``POST /detect``: detections of one image."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from kpviewer.overlay import OverlayStyle, render
from kpviewer.overlay.jpeg import jpeg_of
from kpviewer.serving.bodies import image_in
from kpviewer.serving.dependencies import ServiceOf
from kpviewer.serving.examples import DETECT
from kpviewer.serving.queries import DetectQuery, check_once
from kpviewer.serving.service import Service
from kpviewer.structures import FrameResult

T = TypeVar("T")
_JPEG_QUALITY = 90

router = APIRouter()


@router.post("/detect", openapi_extra=DETECT.request, responses=DETECT.responses)
async def detect(
    request: Request, query: Annotated[DetectQuery, Query()], service: ServiceOf
) -> Response:
    """Detect in one image: a JPEG, PNG or WebP as the body, or as the one file of a form.

    The JSON is a line of `kpviewer process --jsonl`: boxes and keypoints are pixels of the image,
    times are ms.
    """
    check_once(request.query_params)
    query.thresholds(service.spec)  # refused before the upload
    with service.requests.entered():
        try:
            data = await image_in(request, service.limits)
            return await _while_connected(request, _answer(service, data, query))
        except asyncio.CancelledError:
            service.check_open()  # the server ends: that is an answer, too
            raise


async def _answer(service: Service, data: bytes, query: DetectQuery) -> Response:
    thresholds = query.thresholds(service.spec)
    result = await service.detect(data, thresholds, "detect")
    if query.format == "image":
        style = OverlayStyle().of_model(service.spec, thresholds)
        image = await asyncio.to_thread(_annotated, result, style)
        return Response(image, media_type="image/jpeg")
    line = service.json_of(result, thresholds)
    return Response(line, media_type="application/json")


def _annotated(result: FrameResult, style: OverlayStyle) -> bytes:
    return jpeg_of(render(result, style), _JPEG_QUALITY)


async def _while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await an answer; cancel it once its client has gone.

    Raises:
        ClientDisconnect: if the client has gone.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)
