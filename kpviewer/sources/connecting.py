"""Opens an address with FFmpeg, finds out what is behind it, and says why where that fails."""

from __future__ import annotations

import math
from dataclasses import replace

import av

from kpviewer.errors import SourceError
from kpviewer.sources.address import split_address
from kpviewer.sources.decoding import Decoder, DecoderOptions
from kpviewer.sources.formats import VIDEO_FORMATS, formats_of
from kpviewer.sources.http_answer import HttpAnswer, ask
from kpviewer.sources.name_lookup import look_up_host

SCHEMES = ("rtsp", "rtsps", "http", "https")
WITHOUT_CLOCK = {"mpjpeg", "mjpeg"}
"""Formats whose frame rate is FFmpeg's guess, 25, whatever the camera does."""

# No ``nobuffer``: it throws away what was read to find the format, with the first keyframe.
_COMMON = {
    "analyzeduration": "1000000",  # us: FFmpeg would look at 5 s of images before the first
    "fpsprobesize": "0",  # frames: a slow camera's second one may come a minute later
}
_RTSP = {
    "protocol_whitelist": "rtsp,rtsps,tcp,tls,udp,rtp,srtp,crypto",
    "format_whitelist": "rtsp,sdp,rtp",
    "rtsp_transport": "tcp",  # UDP loses packets, and smears the image, on any busy network
}
_HTTP = {
    "protocol_whitelist": "http,https,tcp,tls,crypto,httpproxy",
    "format_whitelist": ",".join((*VIDEO_FORMATS, "hls", "webvtt")),
    "reconnect": "1",  # a server that hangs up in mid-file is asked for the rest
    "reconnect_delay_max": "4",
}
_STILL = {"mjpeg", "gif", "apng"}
"""Formats of films that may hold a single image."""
_LEAST_S = 1e-6
_ANSWER_S = 0.6  # within what is left of the time for opening
_SLOW_OPEN_S = 25.0
"""For a camera that says that it sends, and takes its time."""
_FILE_LEAD_S = 10.0
_LIVE_WAIT_S = 1.5
"""A stream of unknown length is live if it gives less than ``_FILE_LEAD_S`` of media in this."""


class NoImageError(SourceError):
    """A stream opens, but its format gives no image: another may."""


def options_for(scheme: str) -> dict[str, str]:
    """Return FFmpeg's options for an address."""
    return _COMMON | (_RTSP if scheme.startswith("rtsp") else _HTTP)


def connect(url: str, name: str, options: DecoderOptions) -> Decoder:
    """Open an address within ``options.open_timeout_s``.

    Args:
        url: with its password.
        name: without.
        options: whose ``watch`` sets the time limit, and may be cut.

    Raises:
        SourceError: if nobody answers, or answers with something else than video.
    """
    watch = options.watch
    watch.allow(options.open_timeout_s)
    _look_up(url, name, options)
    is_http = split_address(url).is_http
    try:
        decoder = Decoder(url, name, options)
        if not (is_http and watch.is_over):
            return decoder
        decoder.close()  # FFmpeg reads no more from a connection where it was interrupted
        failure: Exception = TimeoutError()
    except (av.FFmpegError, ValueError) as error:
        failure = error  # not the cause: it holds the address with its password
    if watch.is_cut:
        raise left_error(name)
    is_late = watch.is_over
    answer = ask(url, max(_ANSWER_S, watch.left_s)) if is_http else None
    if is_late:
        return _connect_late(url, name, options, answer)
    found = None if answer is not None and answer.is_web_page else _by_suffix(url, name, options)
    if found is None:
        raise _refusal(name, failure, answer)
    return found


def _look_up(url: str, name: str, options: DecoderOptions) -> None:
    """Raise SourceError unless the host of an address is known in time."""
    try:
        look_up_host(url, options.watch)
    except TimeoutError:
        raise _silence_error(name, options.open_timeout_s) from None
    except OSError:
        raise SourceError(
            f"{name} can't be opened: there is no such host. "
            "Check the spelling of the address, and the network."
        ) from None


def is_live(decoder: Decoder) -> bool:
    """Tell whether a stream goes on whether we read or not; else it is a file from afar.

    A stream without any length is a file if it comes faster than a camera could send it.
    """
    container, kind = decoder.container, decoder.container.format.name
    if kind == "mpjpeg":
        return True
    has_duration = bool(container.duration and container.duration > 0)
    if kind in ("rtsp", "hls"):
        return not has_duration
    if container.size > 0:
        return False
    is_fragmented = kind.startswith("mov") and not decoder.stream.frames
    if has_duration and not is_fragmented:
        return False
    return not decoder.read_ahead(_FILE_LEAD_S, _LIVE_WAIT_S)


def check_moving(decoder: Decoder, name: str) -> None:
    """Raise SourceError for a file that is a still image."""
    kind = decoder.container.format.name
    if kind in _STILL and decoder.read_ahead(_LEAST_S, math.inf) and decoder.packets_ahead == 1:
        raise _still_image_error(name, "JPEG" if kind == "mjpeg" else kind.upper())


def can_jump(url: str, kind: str) -> bool:
    """Tell whether a file of format ``kind`` can be read from the middle."""
    if kind == "hls":
        return True
    answer = ask(url, _ANSWER_S)
    return answer is not None and answer.accepts_ranges


def _by_suffix(url: str, name: str, options: DecoderOptions) -> Decoder | None:
    """Open what FFmpeg doesn't recognise as what its name says."""
    for format_name in formats_of(split_address(url).suffix):
        options.watch.allow(options.open_timeout_s)
        try:
            return Decoder(url, name, replace(options, format=format_name))
        except (av.FFmpegError, ValueError, SourceError):
            continue
    return None


def _connect_late(
    url: str, name: str, options: DecoderOptions, answer: HttpAnswer | None
) -> Decoder:
    """Go on connecting if the time is up, but an image is on its way; else say what came."""
    if answer is None:
        raise _silence_error(name, options.open_timeout_s)
    if answer.is_image_stream:
        return _connect_slowly(url, name, options)
    if answer.image_format == "JPEG":
        return _connect_slowly(url, name, replace(options, format="mjpeg"))
    raise SourceError(
        f"{name} answers, but sends no video within {options.open_timeout_s:g} s. "
        "Is it the address of a stream?"
    )


def _connect_slowly(url: str, name: str, options: DecoderOptions) -> Decoder:
    options.watch.allow(_SLOW_OPEN_S)
    try:
        return Decoder(url, name, replace(options, open_timeout_s=_SLOW_OPEN_S))
    except (av.FFmpegError, ValueError) as error:
        failure = error
    if options.watch.is_over:
        raise SourceError(f"{name} answers, but sends no image within {_SLOW_OPEN_S:g} s.")
    raise _refusal(name, failure, None)


def left_error(name: str) -> SourceError:
    """Say that an interrupted call was one: nobody is left to read it."""
    return SourceError(f"{name} was left before it answered.")


def _silence_error(name: str, waited_s: float) -> SourceError:
    return SourceError(
        f"{name} doesn't answer within {waited_s:g} s. Is the camera on, and in the same network?"
    )


def _still_image_error(name: str, image_format: str) -> SourceError:
    return SourceError(
        f"{name} is a still image ({image_format}), not a video. Give the camera's stream address "
        "(its manual lists it), or save the image and open the file."
    )


def _refusal(name: str, error: Exception, answer: HttpAnswer | None) -> SourceError:
    if answer is not None and answer.image_format is not None:
        return _still_image_error(name, answer.image_format)
    if answer is not None and answer.is_web_page:
        return SourceError(
            f"{name} is a web page, not a video. Give the address of the stream itself: "
            "the camera's manual lists it."
        )
    reason = getattr(error, "strerror", None) or type(error).__name__
    if answer is not None and answer.content_type:
        reason = f"{reason}; it answers with {answer.content_type[:40]}"
    return SourceError(
        f"{name} can't be opened ({reason}). Check the address, its user name and password."
    )
