"""No secret of an address is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpviewer.sources.redact import redact_url

SECRET_TEXT = st.text(st.characters(exclude_categories=("Z", "C")), min_size=1)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://me:secret@cam/live", "rtsp://***@cam/live"),
        ("rtsp://me:p@ss/w?rd@cam:554/live", "rtsp://***@cam:554/live"),
        (
            "http://cam/video?user=me&password=secret&size=3",
            "http://cam/video?user=***&password=***&size=3",
        ),
        (
            "http://cam/v?PWD=x&access_token=y;api_key=z",
            "http://cam/v?PWD=***&access_token=***;api_key=***",
        ),
        ("http://cam/video?size=3", "http://cam/video?size=3"),
        ("can't open rtsp://a:b@c/d: refused", "can't open rtsp://***@c/d: refused"),
        ("/home/me@work/film.mp4", "/home/me@work/film.mp4"),
        ("0", "0"),
    ],
)
def test_examples(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@given(user=SECRET_TEXT, password=SECRET_TEXT)
def test_no_user_or_password_is_left_whatever_letters_they_have(user: str, password: str) -> None:
    url = f"rtsps://{user}:{password}@camera.example/live"
    assert redact_url(url) == "rtsps://***@camera.example/live"


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact_url(text)
    assert redact_url(once) == once
