"""The live page in Chromium with a fake camera: the stream moves, the controls work."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_streams import ThreeBoxes

from kpviewer.gui.widgets.theme import DARK, LIGHT
from kpviewer.serving.app import create_app
from kpviewer.serving.live import LiveStream
from kpviewer.serving.live_routes import Live
from kpviewer.serving.server import Server, listen, url_of
from kpviewer.serving.service import Service
from kpviewer.sources.synthetic.demo import DemoSource

playwright = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium isn't installed"),
]
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
PATIENCE_MS = 120_000
PATIENT = "const wait = setTimeout; window.setTimeout = (call, ms) => wait(call, 10 * ms);"
"""Lets the page wait ten times as long for WebRTC on a busy machine, before it falls back."""
GRAB = """() => {
  const shown = [...document.querySelectorAll("video, #image")].find((each) => !each.hidden);
  if (!shown) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 48];
  const context = canvas.getContext("2d");
  context.drawImage(shown, 0, 0, 64, 48);
  return context.getImageData(0, 0, 64, 48).data.join();
}"""
"""The pixels of the stream, through a canvas."""

COUNT_STATES = """() => {
  window.states = 0;
  const count = new MutationObserver(() => states++);
  count.observe(document.querySelector("#viewers"), {childList: true});
}"""
"""Counts the states that the page shows."""

NOTE_STATUS = """() => {
  window.noted = [];
  const text = (name) => document.querySelector(name).textContent;
  const note = new MutationObserver(() => noted.push(`${text("#status")}, ${text("#fps")} fps`));
  note.observe(document.querySelector("#status"), {childList: true});
}"""
"""Notes each status that the page shows, as a busy machine may look when it is over."""

ASK = """() => {
  const devices = navigator.mediaDevices;
  const real = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    await new Promise((resolve) => (window.allow = resolve));
    return real(wanted);
  };
}"""
"""Lets the use of a camera wait until it is allowed."""

REFUSE = """() => {
  const error = new DOMException("", "NotReadableError");
  navigator.mediaDevices.getUserMedia = () => Promise.reject(error);
  const close = RTCPeerConnection.prototype.close;
  RTCPeerConnection.prototype.close = function () {
    window.atClose ??= document.querySelector("#camera-text").textContent;
    close.call(this);
  };
}"""
"""Lets no camera be used, and notes what the page says of it when it ends its connection."""

OUTSIDE = """() => [...document.querySelectorAll("button, input, select, dd")]
  .filter((each) => each.offsetParent && each.getBoundingClientRect().right > innerWidth)
  .map((each) => each.id)"""
"""Controls that begin or end beside the screen."""


@pytest.fixture
def address() -> Iterator[str]:
    """Serve the demo, with three boxes in each frame."""
    service = Service(ThreeBoxes())
    stream = LiveStream(DemoSource, service.engine)
    stream.start()
    with listen("127.0.0.1", 0) as sock:
        server = Server(create_app(service, Live(stream, service)), service)
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        try:
            yield url_of(*sock.getsockname()[:2], tls=False)
        finally:
            server.should_exit = True
            thread.join()
            stream.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as api:
        chromium = api.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """Open the page as on a phone; fail on anything that its console complains about."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, permissions=["camera"])
    context.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: line.type == "error" and complaints.append(line.text))
    page.address = address
    yield page
    context.close()
    assert complaints == []


def wait_for_motion(page: Any) -> None:
    """Wait until two grabs of the stream differ."""
    page.evaluate(f"() => {{ window.grab = {GRAB}; window.before = null; }}")
    page.wait_for_function(
        "() => { const now = grab(); const moved = before && now && now !== before; before ??= now;"
        " return moved; }"
    )


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).textContent === text",
        arg=[selector, text],
    )


@pytest.mark.parametrize("transport", ["WebRTC", "MJPEG"])
def test_the_stream_moves(page, transport):
    query = "?video=mjpeg" if transport == "MJPEG" else ""
    page.add_init_script(PATIENT)
    page.goto(page.address + query)
    wait_for_text(page, "#transport", transport)
    wait_for_motion(page)
    wait_for_text(page, "#status", "Live")


def test_a_slider_changes_the_number_of_boxes(page):
    page.goto(page.address)
    wait_for_text(page, "#total", "2")
    page.get_by_label("Confidence").fill("0.2")
    wait_for_text(page, "#total", "3")
    page.get_by_label("dog").uncheck()
    wait_for_text(page, "#total", "2")
    page.get_by_label("dog").check()
    page.get_by_label("Confidence").fill("0.5")
    wait_for_text(page, "#total", "2")


def test_the_space_bar_pauses_for_all(page):
    page.goto(page.address)
    wait_for_text(page, "#status", "Live")
    page.keyboard.press("Space")
    wait_for_text(page, "#status", "Paused")
    page.get_by_role("button", name="Resume").click()
    wait_for_text(page, "#status", "Live")


def test_a_pause_is_shown_before_the_service_has_answered(page):
    page.route_web_socket(
        re.compile("live/state"),
        lambda socket: (socket.connect_to_server(), socket.on_message(lambda _text: None)),
    )
    page.goto(page.address)
    wait_for_text(page, "#status", "Live")
    page.evaluate(COUNT_STATES)
    page.evaluate("performance.now = () => 0")  # the answer is still awaited
    page.keyboard.press("Space")
    page.evaluate("states = 0")
    page.wait_for_function("() => states > 2")
    assert page.inner_text("#pause-text") == "Resume"


def test_the_filter_lasts_when_the_page_connects_again(page):
    sockets = []
    page.route_web_socket(
        re.compile("live/state"),
        lambda socket: (sockets.append(socket), socket.connect_to_server()),
    )
    page.goto(page.address)
    wait_for_text(page, "#status", "Live")
    wait_for_motion(page)  # an offer that the closed channel made would be refused
    page.evaluate("filter.value = 'dog'; filter.oninput()")
    page.evaluate(NOTE_STATUS)
    sockets[0].close()
    page.wait_for_function("() => noted.includes('Reconnecting, – fps')")
    wait_for_text(page, "#status", "Live")
    assert page.locator("#classes li:visible").count() == 1


def test_a_filter_of_many_classes_ends_with_them(page):
    sockets = []

    def connect(socket: Any) -> None:
        many = [] if sockets else [{"name": f"other {i}", "color": "#000000"} for i in range(12)]
        server = socket.connect_to_server()
        server.on_message(lambda text: socket.send(with_classes(text, many)))
        sockets.append(socket)

    page.route_web_socket(re.compile("live/state"), connect)
    page.goto(page.address)
    wait_for_text(page, "#status", "Live")
    wait_for_motion(page)
    page.get_by_label("Find a class").fill("other 1")
    page.evaluate(NOTE_STATUS)
    sockets[0].close()  # the service starts again, with another model
    page.wait_for_function("() => noted.includes('Reconnecting, – fps')")
    wait_for_text(page, "#status", "Live")
    assert page.locator("#classes li:visible").count() == 2


def with_classes(text: str, more: list[dict[str, str]]) -> str:
    """Return a message to the page whose model, if it names one, has more classes."""
    message = json.loads(text)
    if message["kind"] == "hello":
        message["classes"] += more
    return json.dumps(message)


def test_the_camera_of_a_phone_becomes_the_source(page):
    page.add_init_script(PATIENT)
    page.goto(page.address)
    wait_for_text(page, "#source", "demo")
    page.get_by_role("button", name="Use this camera").click()
    wait_for_text(page, "#source", "a viewer's camera")
    wait_for_motion(page)
    wait_for_text(page, "#total", "2")
    page.get_by_role("button", name="Stop this camera").click()
    wait_for_text(page, "#source", "demo")


def test_a_camera_is_asked_for_once(page):
    page.goto(page.address)
    wait_for_text(page, "#status", "Live")
    page.evaluate(ASK)
    page.get_by_role("button", name="Use this camera").click()
    page.evaluate(COUNT_STATES)
    page.wait_for_function("() => states > 2")
    assert page.locator("#camera").is_disabled()
    page.evaluate("allow()")
    wait_for_text(page, "#source", "a viewer's camera")
    page.get_by_role("button", name="Stop this camera").click()
    wait_for_text(page, "#source", "demo")


def test_another_camera_that_cannot_be_used_ends_the_use_of_the_first(page):
    page.add_init_script(PATIENT)
    page.goto(page.address)
    wait_for_text(page, "#status", "Live")
    page.get_by_role("button", name="Use this camera").click()
    wait_for_text(page, "#camera-text", "This camera is the source for everyone who watches.")
    wait_for_text(page, "#source", "a viewer's camera")
    page.evaluate(REFUSE)
    page.evaluate("document.querySelector('#flip').onclick()")
    wait_for_text(page, "#source", "demo")
    assert page.evaluate("atClose") == "The camera is in use by another program."


def test_nothing_is_wider_than_the_screen_and_every_control_has_a_name(page):
    page.goto(page.address)
    wait_for_text(page, "#status", "Live")
    for width, height in ((360, 800), (390, 800), (1600, 800), (568, 320), (844, 390)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(OUTSIDE) == []
    # of a phone held sideways, too: the stream has most of the screen, the controls are beside it
    picture, panel = (page.locator(name).bounding_box() for name in (".picture", ".panel"))
    assert picture["height"] > 0.7 * 390
    assert panel["x"] >= picture["x"] + picture["width"]
    for role in ("button", "slider", "checkbox", "combobox"):
        controls = page.get_by_role(role)
        for number in range(controls.count()):
            assert controls.nth(number).evaluate(
                "each => each.labels?.[0]?.textContent || each.ariaLabel || each.textContent.trim()"
            )


def test_the_colours_are_those_of_the_window():
    css = Path(__file__).parents[2].joinpath("kpviewer/serving/page/page.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    for theme, text in ((LIGHT, light), (DARK, dark.split("}\n}")[0])):
        for name in ("base", "window", "control", "text", "accent", "outline", "secondary"):
            assert f"--{name}: {getattr(theme, name)};" in text
