"""What routes take from the application."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from kpviewer.serving.service import Service


def service_of(connection: HTTPConnection) -> Service:
    """Return the service of a request or WebSocket."""
    service: Service = connection.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(service_of)]
"""Parameter of a route that holds the service."""
