"""``GET /models``, ``/health`` and ``/metrics``."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from kpviewer.serving.dependencies import ServiceOf
from kpviewer.serving.examples import HEALTH, MODELS

router = APIRouter()

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/models", responses=MODELS.responses)
def models(service: ServiceOf) -> list[dict[str, Any]]:
    """Describe the model that answers: names, task, classes, input, licence, hash."""
    return [service.description]


@router.head("/health", include_in_schema=False)  # some monitors ask for the head alone
@router.get("/health", responses=HEALTH.responses)
def health(service: ServiceOf) -> Response:
    """Answer 200 while the model can answer; else 503 and why not. Needs no token.

    After a failure it makes the model try a blank image, so a later question may find it ready.
    """
    problem = service.problem
    if problem is None:
        return JSONResponse({"ready": True})
    service.engine.try_again()
    return JSONResponse({"ready": False, "error": problem}, 503)


@router.get("/metrics", response_class=Response)
def metrics(service: ServiceOf) -> Response:
    """Return counters and times in the text format of Prometheus."""
    return Response(service.metrics.text(), media_type=_PROMETHEUS)
