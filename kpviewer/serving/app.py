"""The interface of a service over HTTP and WebSocket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from kpviewer import __version__
from kpviewer.serving import detect_routes, info_routes, stream_routes
from kpviewer.serving.access import Access
from kpviewer.serving.failures import add_failure_answers, refuse_unknown
from kpviewer.serving.live_routes import Live
from kpviewer.serving.metrics import Counting
from kpviewer.serving.service import Service

_ROUTERS = (detect_routes.router, info_routes.router, stream_routes.router)


def create_app(service: Service, live: Live | None = None) -> FastAPI:
    """Return the application of a service, which it starts and stops.

    It closes the live stream of the page, which runs already; without one there is no page.

    Its documentation is ``/openapi.json`` alone: the pages that FastAPI has for it load their code
    from another site.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            if live is not None:
                await live.close()
            service.stop()

    app = FastAPI(
        title="kpviewer",
        version=__version__,
        description="Detections of images and streams.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would lose the token
        lifespan=lifespan,
    )
    app.state.service = service
    app.state.live = live
    routers = _ROUTERS if live is None else (*_ROUTERS, live.router)
    for router in routers:
        app.include_router(router)
    add_failure_answers(app)
    app.router.default = refuse_unknown
    paths = frozenset(getattr(each, "path", "") for router in routers for each in router.routes)
    app.add_middleware(Access, token=service.token)
    app.add_middleware(Counting, metrics=service.metrics, paths=paths)
    return app
