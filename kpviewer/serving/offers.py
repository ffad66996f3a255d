"""Offers of browsers (SDP, RFC 8866): checked, and split by what must be looked up first.

Browsers hide a computer's addresses behind random names that end in ``.local`` (mDNS). Whoever
answers them is asked by multicast in the local network; a connection mostly comes about without.
"""

from typing import NamedTuple

from kpviewer.serving.limits import RequestError

LONGEST_OFFER = 1 << 16
"""Length of an offer in characters; browsers send about 6,000."""
MOST_CANDIDATES = 100
"""Number of addresses to try: a client must not have the service try thousands."""
_CANDIDATE = "a=candidate:"


class Offer(NamedTuple):
    """An offer of video only, without its named candidates."""

    sdp: str
    named: tuple[str, ...]
    """Values of the candidates that have a name in place of an address."""


def offer_of(sdp: str) -> Offer:
    """Check an offer.

    Raises:
        RequestError: 422 if it isn't an offer of one video.
    """
    lines = sdp.splitlines()
    media = [line for line in lines if line.startswith("m=")]
    candidates = [line for line in lines if line.startswith(_CANDIDATE)]
    is_valid = (
        len(sdp) <= LONGEST_OFFER
        and len(media) == 1
        and media[0].startswith("m=video ")
        and len(candidates) <= MOST_CANDIDATES
    )
    if not is_valid:
        raise RequestError(422, "The offer must be SDP with one video, as the page sends it.")
    named = {line for line in candidates if _is_named(line)}
    # More may come: names that are looked up, and addresses that only the peer's packets show.
    left_out = named | {"a=end-of-candidates"}
    kept = [line for line in lines if line not in left_out]
    order = tuple(line.removeprefix(_CANDIDATE) for line in candidates if line in named)
    return Offer("\r\n".join(kept) + "\r\n", order)


def _is_named(line: str) -> bool:
    words = line.split()
    return len(words) > 4 and words[4].endswith(".local")
