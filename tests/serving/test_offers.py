"""Offers of browsers: what is kept, and what is looked up later."""

import pytest

from kpviewer.serving.limits import RequestError
from kpviewer.serving.offers import offer_of

NAMED = "1 1 udp 2113937151 2f1e0a54-7f6c-4b5b-9d53-6e3c6e8f9a10.local 51234 typ host"
KNOWN = "2 1 udp 2113937151 192.0.2.7 51235 typ host"
SDP = "\r\n".join((
    "v=0",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    f"a=candidate:{NAMED}",
    f"a=candidate:{KNOWN}",
    "a=end-of-candidates",
    "",
))  # fmt: skip


def test_named_candidates_are_looked_up_later():
    offer = offer_of(SDP)
    assert offer.named == (NAMED,)
    assert offer.sdp.splitlines() == [
        "v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", f"a=candidate:{KNOWN}"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        SDP + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
        SDP.replace("video", "audio"),
        SDP + f"a=candidate:{KNOWN}\r\n" * 100,
        SDP + "a=x\r\n" * 20_000,
    ],
    ids=["empty", "two videos", "sound", "too many candidates", "too long"],
)
def test_other_offers_are_refused(sdp):
    with pytest.raises(RequestError) as refused:
        offer_of(sdp)
    assert refused.value.status == 422
