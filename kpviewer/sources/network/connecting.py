"""Opening of network addresses with FFmpeg, and diagnosis of failures."""

import contextlib
from dataclasses import replace

import av

from kpviewer.errors import SourceError
from kpviewer.sources.network.address import split_address
from kpviewer.sources.network.http_probe import HttpProbe, probe
from kpviewer.sources.network.login import unknown_login
from kpviewer.sources.network.name_lookup import look_up_host
from kpviewer.sources.video.container import DecoderOptions
from kpviewer.sources.video.decoding import Decoder
from kpviewer.sources.video.formats import VIDEO_FORMATS, formats_of
from kpviewer.sources.video.pyav import size_of

WITHOUT_CLOCK = {"mpjpeg", "mjpeg"}
"""Formats without a frame rate, for which FFmpeg assumes 25."""

# No ``nobuffer``: it discards the data read to find the format, with the first keyframe.
_COMMON = {
    "analyzeduration": "1000000",  # us: FFmpeg's default is 5 s before the first frame
    "fpsprobesize": "0",  # frames: the second frame of a slow camera may come a minute later
}
_RTSP = {
    "protocol_whitelist": "rtsp,rtsps,tcp,tls,udp,rtp,srtp,crypto",
    "format_whitelist": "rtsp,sdp,rtp",
    # UDP loses packets on busy networks, which smears the image; some cameras have nothing else.
    "rtsp_transport": "tcp+udp+udp_multicast",
    "rtsp_flags": "prefer_tcp",
}
_HTTP = {
    "protocol_whitelist": "http,https,tcp,tls,crypto,httpproxy",
    "format_whitelist": ",".join((*VIDEO_FORMATS, "hls", "webvtt")),
    "reconnect": "1",  # resume if a server closes the connection in mid-file
    # Otherwise FFmpeg 8 loses the bytes at a jump if the server has closed the connection before.
    "reconnect_on_network_error": "1",
    "reconnect_max_retries": "2",
    "reconnect_delay_max": "4",
}
_STILL = {"mjpeg", "gif", "apng"}
"""Video formats that may hold a single image."""
_PROBE_S = 0.6  # within the remaining time for opening
_SLOW_OPEN_S = 25.0
"""Time limit for a camera that announced an image but is slow to send it."""
_FILE_LEAD_S = 10.0
_LIVE_WAIT_S = 1.5
"""Time in which a stream of unknown length must send ``_FILE_LEAD_S`` of video to be a file."""


class NoImageError(SourceError):
    """A stream opens, but no image can be read in its format; another format may work."""


class IndexAtEndError(SourceError):
    """An MP4 whose index is at the end comes from a server that sends files from the start."""


def options_for(scheme: str) -> dict[str, str]:
    """Return FFmpeg's options for an address of a scheme."""
    return _COMMON | (_RTSP if scheme.startswith("rtsp") else _HTTP)


def connect(url: str, name: str, options: DecoderOptions) -> Decoder:
    """Open an address within ``options.open_timeout_s``.

    Raises:
        SourceError: if there is no answer, or the answer isn't video.
    """
    limit = options.limit
    limit.set(options.open_timeout_s)
    _look_up(url, name, options)
    is_http = split_address(url).is_http
    try:
        decoder = Decoder(url, name, options)
        if not (is_http and limit.is_expired):
            return decoder
        decoder.close()  # FFmpeg can't continue on an interrupted connection
        failure: Exception = TimeoutError()
    except (av.FFmpegError, ValueError) as error:
        failure = error  # not chained, as it holds the password
    if limit.is_cancelled:
        raise interrupted_error(name)
    is_late = limit.is_expired
    answer = probe(url, max(_PROBE_S, limit.remaining_s)) if is_http else None
    if is_late:
        return _connect_late(url, name, options, answer)
    if answer is None or not answer.is_web_page:
        formats = formats_of(split_address(url).suffix)
        is_jpeg = answer is not None and answer.is_jpeg
        for format_name in (*formats, *(["mjpeg"] if is_jpeg else [])):
            limit.set(options.open_timeout_s)
            with contextlib.suppress(av.FFmpegError, ValueError, SourceError):
                decoder = Decoder(url, name, replace(options, format=format_name))
                if not limit.is_expired:
                    return decoder
                decoder.close()
    if isinstance(failure, av.HTTPUnauthorizedError):
        algorithm = unknown_login(url, max(_PROBE_S, limit.remaining_s))
        if algorithm is not None:
            raise SourceError(
                f"{name} asks for a login with {algorithm[:20]}, which FFmpeg can't give. "
                "Set the camera to Digest with MD5, or to Basic alone."
            )
    raise _refusal(name, failure, answer)


def _look_up(url: str, name: str, options: DecoderOptions) -> None:
    """Raise SourceError unless the host of an address is found in time."""
    try:
        look_up_host(url, options.limit)
    except TimeoutError:
        raise _silence_error(name, options.open_timeout_s) from None
    except OSError:
        raise SourceError(
            f"{name} can't be opened: there is no such host. "
            "Check the spelling of the address, and the network."
        ) from None


def is_live(decoder: Decoder) -> bool:
    """Return whether a stream is live rather than a remote file.

    A stream of unknown length is a file if it arrives faster than a camera could send it.
    """
    container, kind = decoder.container, decoder.container.format.name
    if kind == "mpjpeg":
        return True
    has_duration = bool(container.duration and container.duration > 0)
    if kind in ("rtsp", "hls"):
        return not has_duration
    if size_of(container):
        return False
    is_fragmented = kind.startswith("mov") and not decoder.stream.frames
    if has_duration and not is_fragmented:
        return False
    return not decoder.read_ahead(_FILE_LEAD_S, _LIVE_WAIT_S)


def check_moving(decoder: Decoder, name: str) -> None:
    """Raise SourceError if the stream is a still image."""
    kind = decoder.container.format.name
    if kind not in _STILL:
        return
    packets = sum(packet.size > 0 for packet in decoder.first_packets(2))
    if packets == 1 and decoder.failure is None:
        raise _still_image_error(name, "JPEG" if kind == "mjpeg" else kind.upper())


def can_jump(url: str, kind: str) -> bool:
    """Return whether a file of format ``kind`` can be read from any position."""
    if kind == "hls":
        return True
    answer = probe(url, _PROBE_S)
    return answer is not None and answer.accepts_ranges


def _connect_late(
    url: str, name: str, options: DecoderOptions, answer: HttpProbe | None
) -> Decoder:
    """Continue to connect after the time limit if an image is arriving; raise SourceError else."""
    if answer is None:
        raise _silence_error(name, options.open_timeout_s)
    if answer.is_image_stream:
        return _connect_slowly(url, name, options)
    if answer.image_format == "JPEG":
        return _connect_slowly(url, name, replace(options, format="mjpeg"))
    why = (
        f"{name} answers, but sends no video within {options.open_timeout_s:g} s. "
        "Is it the address of a stream?"
    )
    raise IndexAtEndError(why) if answer.is_mp4 and not answer.accepts_ranges else SourceError(why)


def _connect_slowly(url: str, name: str, options: DecoderOptions) -> Decoder:
    options.limit.set(_SLOW_OPEN_S)
    try:
        return Decoder(url, name, replace(options, open_timeout_s=_SLOW_OPEN_S))
    except (av.FFmpegError, ValueError) as error:
        failure = error
    if options.limit.is_expired:
        raise SourceError(f"{name} answers, but sends no image within {_SLOW_OPEN_S:g} s.")
    raise _refusal(name, failure, None)


def interrupted_error(name: str) -> SourceError:
    """Return the error of an interrupted call."""
    return SourceError(f"{name} was interrupted before it answered.")


def _silence_error(name: str, waited_s: float) -> SourceError:
    return SourceError(
        f"{name} doesn't answer within {waited_s:g} s. Is the camera on, and in the same network?"
    )


def _still_image_error(name: str, image_format: str) -> SourceError:
    return SourceError(
        f"{name} is a still image ({image_format}), not a video. Use the camera's stream address "
        "(its manual lists it), or save the image and open the file."
    )


def _refusal(name: str, error: Exception, answer: HttpProbe | None) -> SourceError:
    if answer is not None and answer.image_format is not None:
        return _still_image_error(name, answer.image_format)
    if answer is not None and answer.is_web_page:
        return SourceError(
            f"{name} is a web page, not a video. Use the address of the stream: "
            "the camera's manual lists it."
        )
    reason = getattr(error, "strerror", None) or type(error).__name__
    if answer is not None and answer.content_type:
        reason = f"{reason}; it answers with {answer.content_type[:40]}"
    cure = next((cure for kind, cure in _CURES if isinstance(error, kind)), _USUAL_CURE)
    return SourceError(f"{name} can't be opened ({reason}). {cure}")


_USUAL_CURE = "Check the address, its user name and password."
_CURES: tuple[tuple[type[Exception], str], ...] = (
    (ConnectionRefusedError, "Is the camera or server on, and its port that of the address?"),
    (av.HTTPNotFoundError, "Check the address behind the host: the camera's manual lists it."),
    (av.HTTPServerError, "The fault is at the camera or server: restart it, or try again later."),
)
