"""Who may call: programs of this machine, or those that know the token."""

import asyncio
from typing import Any

import pytest
from clients import image, served

from kpviewer.serving.access import Access

TOKEN = "correct-horse"


def status(path: str = "/models", token: str | None = None, **headers: str) -> int:
    return served(
        lambda client: client.get(
            path, headers={name: value.encode("latin-1") for name, value in headers.items()}
        ),
        token=token,
    ).status_code


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("127.0.0.9", 200),
        ("[::1]:8000", 200),
        ("example.org", 403),
        ("127.0.0.1.example.org", 403),
        ("localhost@example.org", 403),
        ("example.org#@localhost", 403),
        ("2130706433", 403),
        ("192.168.0.7:8000", 403),
    ],
)
def test_without_a_token_the_host_is_a_name_of_this_machine(host, expected):
    assert status(host=host) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:3000", 200),
        ("https://127.0.0.1", 200),
        ("http://example.org", 403),
        ("http://localhost.example.org", 403),
        ("null", 403),
    ],
)
def test_without_a_token_pages_of_other_sites_are_refused(origin, expected):
    assert status(origin=origin) == expected


@pytest.mark.parametrize(
    ("path", "authorization", "expected"),
    [
        ("/models", f"Bearer {TOKEN}", 200),
        ("/models", f"bearer  {TOKEN}", 200),
        (f"/models?token={TOKEN}", "", 200),
        ("/models", "", 401),
        ("/models?token=", "", 401),
        ("/models", f"Basic {TOKEN}", 401),
        ("/models", f"Bearer {TOKEN}x", 401),
        ("/models", "Bearer é", 401),
        (f"/models?token={TOKEN[:-1]}", "", 401),
        (f"/openapi.json?token={TOKEN.upper()}", "", 401),
        ("/nowhere", "", 401),
        ("/health", "", 200),
    ],
)
def test_with_a_token_it_must_be_shown(path, authorization, expected):
    assert status(path, TOKEN, authorization=authorization, host="example.org") == expected


def test_the_token_goes_no_further():
    seen: list[dict[str, Any]] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope)

    query = f"conf=0.5&token={TOKEN}&classes=a%2Cb".encode()
    scope = {"type": "http", "path": "/", "headers": [], "query_string": query}
    asyncio.run(Access(app, TOKEN)(scope, None, None))
    assert seen[0]["query_string"] == b"conf=0.5&classes=a%2Cb"


def test_a_token_in_the_address_goes_with_parameters():
    path = f"/detect?token={TOKEN}&conf=1"
    answer = served(lambda client: client.post(path, content=image()), token=TOKEN)
    assert (answer.status_code, answer.json()["detections"]) == (200, [])
