"""Parts of addresses, including unusual passwords."""

import pytest

from kpviewer.sources.network.address import split_address


@pytest.mark.parametrize(
    ("url", "credentials", "host", "suffix", "plain"),
    [
        ("http://h:80/a/b.ts?x=1#y", None, "h", ".ts", "http://h:80/a/b.ts?x=1"),
        ("HTTP://h", None, "h", "", "http://h/"),
        ("http://u:p%40s@h/x", "u:p@s", "h", "", "http://h/x"),
        ("http://u:[p]@@h/x", "u:[p]@", "h", "", "http://h/x"),
        ("rtsp://[::1]:554/s.264", None, "::1", ".264", "rtsp://[::1]:554/s.264"),
        ("no address", None, "", "", ":///"),
    ],
)
def test_parts(url, credentials, host, suffix, plain):
    address = split_address(url)
    assert (address.credentials, address.host, address.suffix) == (credentials, host, suffix)
    assert address.without_credentials == plain
