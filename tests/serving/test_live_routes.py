"""The routes of the live page: its files, its state channel, and the offers that it takes."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from channels import Channel, ClosedChannelError
from clients import served
from fakes import FakeSource
from live_streams import served_live

from kpviewer.serving.limits import Gate, Limits
from kpviewer.serving.page_files import NAMES
from kpviewer.structures import StreamInfo

TOKEN = "abc-123_xyz"


def test_the_page_loads_its_own_files_and_nothing_else():
    async def ask(client, app):
        index = await client.get("/")
        names = re.findall(r'(?:src|href)="([^"]+)"', index.text)
        scripts = [f"page/{name}" for name in NAMES]
        return index, names, [await client.get(f"/{name}") for name in {*names, *scripts}]

    index, names, files = served_live(ask)
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert {file.status_code for file in files} == {200}
    assert {"icon.svg", "page/page.css", "page/page.js"} <= set(names)
    for file in (index, *files):
        assert file.headers["content-security-policy"].startswith("default-src 'none'; ")
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", file.text)


def test_every_file_needs_the_token_which_the_page_passes_on():
    async def ask(client, app):
        refused = [
            await client.get(f"/{name}") for name in ("", "icon.svg", "page/page.js", "live.mjpg")
        ]
        index = await client.get(f"/?token={TOKEN}")
        names = re.findall(r'(?:src|href)="([^"]+)"', index.text)
        return refused, [await client.get(f"/{name}") for name in names]

    refused, files = served_live(ask, token=TOKEN)
    assert {answer.status_code for answer in refused} == {401}
    assert {file.status_code for file in files} == {200}


def test_files_beside_the_page_are_not_served():
    async def ask(client, app):
        names = ("index.html", "other.js", "..%2Fapp.py", "../app.py")
        return [(await client.get(f"/page/{name}")).status_code for name in names]

    assert set(served_live(ask)) == {404}


def test_a_slider_of_one_viewer_moves_that_of_the_others():
    async def ask(client, app):
        async with Channel(app, "/live/state") as one:
            assert (await one.receive())["classes"][1]["name"] == "dog"
            async with Channel(app, "/live/state") as other:
                await other.until_state(score=0.5, counts={"0": 2})
                await one.send({"score": 0.2, "nms": "none"})
                for channel in (one, other):
                    await channel.until_state(score=0.2, nms="none", counts={"0": 2, "1": 1})
                await other.send({"classes": {"0": False}})
                await one.until_state(hidden=[0], counts={"1": 1})
            await one.send({"paused": True})
            return (await one.until_state(state="paused"))["source"]

    assert served_live(ask) == "fake"


def test_an_invalid_change_closes_its_channel_alone():
    async def ask(client, app):
        async with Channel(app, "/live/state") as good:
            async with Channel(app, "/live/state") as bad:
                await bad.send({"score": 7})
                with pytest.raises(ClosedChannelError) as closed:
                    await bad.until_state(score=7)
            await good.send({"score": 0.7})
            await good.until_state(score=0.7)
        return closed.value.code

    assert served_live(ask) == 1008


def test_a_reason_of_letters_that_take_several_bytes_fits_into_the_closing():
    async def ask(client, app):
        async with Channel(app, "/live/state") as channel:
            await channel.send({"é" * 90: 1})
            with pytest.raises(ClosedChannelError) as closed:
                await channel.until_state(score=7)
        return closed.value

    closed = served_live(ask)
    assert closed.code == 1008
    assert 100 < len(closed.reason.encode()) <= 123  # RFC 6455, 5.5


def test_a_source_whose_name_is_no_text_is_shown():
    class Odd(FakeSource):
        @property
        def info(self) -> StreamInfo:
            return replace(super().info, name="clip\udce9.mp4")

    async def ask(client, app):
        async with Channel(app, "/live/state") as channel:
            return (await channel.until_state(state="running"))["source"]

    assert served_live(ask, lambda: Odd(100_000)) == r"clip\udce9.mp4"


def test_channels_end_with_the_service():
    async def ask(client, app):
        async with Channel(app, "/live/state") as channel:
            app.state.service.close()
            with pytest.raises(ClosedChannelError) as closed:
                await channel.until_state(score=7)
        return closed.value.code

    assert served_live(ask) == 1001


def test_there_is_a_most_of_channels():
    async def ask(client, app):
        app.state.live.channels = Gate(1, "one page is open", lambda: None)
        async with Channel(app, "/live/state") as one, Channel(app, "/live/state") as other:
            await one.until_state(score=0.5)
            with pytest.raises(ClosedChannelError) as closed:
                await other.receive()
        return closed.value.code

    assert served_live(ask) == 1013


def test_a_channel_needs_the_token():
    async def ask(client, app):
        with pytest.raises(ClosedChannelError) as refused:
            async with Channel(app, "/live/state"):
                pass
        async with Channel(app, f"/live/state?token={TOKEN}") as channel:
            return refused.value.code, (await channel.receive())["kind"]

    assert served_live(ask, token=TOKEN) == (401, "hello")


def test_no_other_site_may_open_a_channel():
    async def ask(client, app):
        with pytest.raises(ClosedChannelError) as refused:
            async with Channel(app, "/live/state", origin="https://example.com"):
                pass
        return refused.value.code

    assert served_live(ask) == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 422),
        ("[]", 422),
        ('{"sdp": "v=0"}', 422),
        ('{"viewer": "a", "sdp": "v=0"}', 409),
        ('{"viewer": "a", "sdp": 7}', 422),
        ('"' + "a" * 200_000 + '"', 413),
    ],
    ids=["empty", "a list", "no viewer", "an unknown viewer", "no text", "too long"],
)
def test_an_offer_that_is_none_is_refused(body, status):
    async def ask(client, app):
        return await client.post("/live/offer", content=body)

    answer = served_live(ask)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_a_slow_offer_is_cut_off():
    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async def ask(client, app):
        app.state.service.limits = Limits(timeout_s=0.05)
        return await client.post("/live/offer", content=body())

    assert served_live(ask).status_code == 408


def test_an_offer_of_a_viewer_must_be_sdp():
    media = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\n"
    offers = ("v=0", media, media * 2, "m=audio 9\r\n", "\r\n" * 1000, "m=video \r\n")

    async def ask(client, app):
        async with Channel(app, "/live/state") as channel:
            viewer = (await channel.receive())["viewer"]
            bodies = [{"viewer": viewer, "sdp": sdp} for sdp in offers]
            return [(await client.post("/live/offer", json=body)).status_code for body in bodies]

    assert set(served_live(ask)) == {422}


def test_without_a_source_there_is_no_page():
    async def ask(client):
        return [(await client.get(path)).status_code for path in ("/", "/live.mjpg")]

    assert served(ask) == [404, 404]
