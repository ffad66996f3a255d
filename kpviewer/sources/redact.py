"""Removal of secrets from stream addresses before they are shown. Light to import.

Only listed parts are shown: the scheme, the host and its port, parts of a path that read like
words, and a few parameters of cameras. Everything before the last @ is hidden. A secret in a path
that reads like a word can't be detected.
"""

import re
from urllib.parse import unquote

from kpviewer.sources.naming import is_camera, is_screen

HIDDEN = "***"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SCHEMES = _words("""
    rtsp rtsps rtspu rtsph rtmp rtmps rtp srtp srt rist udp tcp tls http https hls mms mmsh mmst
    ws wss ftp ftps sftp smb file onvif webrtc whep
""")
PARAMETERS = _words("""
    audio cam camera ch channel chn codec compression format fps framerate h height mirror n
    profile quality rate res resolution rotation size stream subtype track trackid transport
    unicast video w width x y
""")
"""Parameters whose values are shown; of others, only the name is shown."""
NUMBERED = _words("""
    av c cam camera ch chan channel chn cif clip d day dsc dscn e ep fhd floor fps frame h hd hz i
    img image ipcam k live m main media mjpeg mjpg mp mpeg onvif p part pic play preview profile res
    room s scene screen sd seg segment st stream streams sub substream take test track trackid ts
    uhd v vga vid video view vp webm x
""")
"""Words that may have digits beside them in a path: ch01, h264, 1080p."""
ENDINGS = _words("""
    3gp amp asf avi avif bmp cgi flv gif h264 h265 hevc jpeg jpg m3u8 m4v mjpeg mjpg mkv mov mp4 mpd
    mpeg mpg ogg ogv php png sdp smp ts webm webp
""")

PUBLIC = ("https://download.pytorch.org/", "https://pytorch.org/")
"""Addresses in kpviewer's own messages, which are shown in full."""
MODELS = ("torchvision:", "two-stage:")
"""Beginnings of models, whose @ is followed by a file or a size."""

_COLON = "[:\uff1a\ufe55\u2236]"
_SLASH = "[/\\\\\uff0f\uff3c]"
_ADDRESS = re.compile(
    # anywhere with two slashes, at the beginning with one; two letters, as C:\ is a drive
    rf"(?<![A-Za-z0-9+.-])(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)\s*{_COLON}\s*{_SLASH}\s*{_SLASH}+"
    rf"|^(?P<alone>[A-Za-z][A-Za-z0-9+.-]+){_COLON}{_SLASH}"
)
_PATH = re.compile(r"/(?!/)|~|\.{1,2}[/\\]|[A-Za-z]:[/\\]")
"""Beginnings of paths that aren't addresses."""
_HOST = re.compile(
    rf"(?P<name>{re.escape(HIDDEN)}|[\w-]+(?:\.[\w-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]*))?"
)
_TAIL = re.compile(rf"{_SLASH}|[?#;&]|\s")
_IN_TEXT = re.compile(
    rf"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]+{_COLON}{_SLASH}{_SLASH}(?:[^\n]*[@\uff20])?\S*"
    rf"|[^\s\"'(<:\uff1a]*{_COLON}\S*[@\uff20]\S+"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PUNCTUATION = "'\".,;:)]}>"
"""Characters that may follow an address in a sentence."""
_KEY = re.compile(r"[A-Za-z][A-Za-z_-]{0,19}")
_VALUE = re.compile(r"[A-Za-z]{1,12}|[0-9][0-9.,x]{0,11}")
_HUMP = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")
_LONGEST_WORD, _LONGEST_NUMBER = 24, 8
_LONGEST_LINE = 5000
"""Number of characters from which on a line of a message is cut: finding addresses takes a time
that grows with its square."""


def redact_url(text: str) -> str:
    """Hide the user name, password and secret parameters of a source.

    Args:
        text: a source as the user typed it: an address, even a malformed one, or any other source.

    Returns:
        The address with ``***`` in place of its secrets. A text that isn't an address, such as a
        path, is returned unchanged.
    """
    shown = _redact_once(text)
    while len(again := _redact_once(shown)) < len(shown):  # what is left may be an address, too
        shown = again
    return again


def _redact_once(text: str) -> str:
    if is_camera(text) or (is_screen(text) and "@" not in text):
        return text
    found = _ADDRESS.search(text)
    if found is not None:
        scheme = found["scheme"] or found["alone"]
        shown = scheme if scheme.lower() in SCHEMES else HIDDEN
        return f"{shown}://{_redact_rest(text[found.end() :])}"
    before, at, _ = text.replace("\uff20", "@").rpartition("@")
    if at and not _PATH.match(text) and re.search(rf"{_COLON}|%3a", before, re.IGNORECASE):
        return _redact_rest(text)
    return text


def redact_text(message: str) -> str:
    """Hide the secrets of every address in a message, and escape its control characters.

    An address ends with the first blank behind its last @. A very long line is cut.
    """
    return printable("\n".join(map(_redact_line, message.split("\n"))))


def printable(text: str) -> str:
    """Escape control characters, which a terminal would obey; a file's name may have some."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _redact_line(line: str) -> str:
    if len(line) > _LONGEST_LINE:
        line = f"{line[:_LONGEST_LINE].rpartition(' ')[0]}…"  # between words, as one may be secret
    return _IN_TEXT.sub(lambda found: _redact_word(found[0]), line)


def _redact_word(word: str) -> str:
    if word.startswith(PUBLIC) and "@" not in word:
        return word
    if word.startswith(MODELS) and word.count("@") == 1 and "//" not in word:
        return word
    address = word.rstrip(_PUNCTUATION)
    return redact_url(address) + word[len(address) :]


def is_address(text: str) -> bool:
    """Return whether a source is an address, even a malformed one, rather than a path."""
    return _ADDRESS.search(text) is not None or redact_url(text) != text


def _redact_rest(rest: str) -> str:
    """Redact the part behind the scheme: user and password, host, path, parameters."""
    before, _, after = rest.replace("\uff20", "@").rpartition("@")
    end = _TAIL.search(after)
    authority, tail = (after, "") if end is None else (after[: end.start()], after[end.start() :])
    host = _HOST.fullmatch(authority)
    if host is None or (host["port"] and int(host["port"][:6]) > 65535):
        return HIDDEN
    user = f"{HIDDEN}@" if before else ""
    path, mark, query = _split_path(tail)
    shown = "".join(_shown_part(part) for part in re.split(rf"({_SLASH})", path))
    if shown.startswith(HIDDEN):  # right behind the host, of which it would seem a part
        return HIDDEN
    return f"{user}{authority}{shown}{mark}{_shown_query(query) if mark == '?' else query}"


def _split_path(tail: str) -> tuple[str, str, str]:
    """Split into path, "?" or "#" or nothing, and the rest; a fragment is hidden."""
    without, sharp, fragment = tail.partition("#")
    path, mark, query = without.partition("?")
    if mark:
        return path, mark, f"{query}&{HIDDEN}" if fragment else query
    return path, sharp, HIDDEN if fragment else ""


def _shown_part(part: str) -> str:
    """Return a part of a path if it reads like words, or else its known suffix."""
    if part == HIDDEN or re.fullmatch(_SLASH, part) or _reads_like_words(unquote(part)):
        return part
    name, dot, ending = part.rpartition(".")
    is_known = bool(dot and name) and ending.lower() in ENDINGS
    return f"{HIDDEN}.{ending}" if is_known else HIDDEN


def _reads_like_words(part: str) -> bool:
    if re.search(r"[^\w .,+~()!'-]", part):
        return False
    return all(_is_word(word) for word in re.split(r"[\W_]+", part) if word)


def _is_word(word: str) -> bool:
    if word.lower() in ENDINGS:
        return True
    letters = re.findall(r"[^\W\d]+", word)
    digits = re.findall(r"\d+", word)
    if any(len(run) > _LONGEST_NUMBER for run in digits):
        return False
    if digits and letters:
        humps = [hump.lower() for run in letters for hump in _HUMP.findall(run)]
        return bool(humps) and all(hump in NUMBERED for hump in humps)
    # mixed case in short pieces isn't a word: tPW, QxZrTb
    humps = _HUMP.findall(word)
    return not humps or (len(word) <= _LONGEST_WORD and len(word) >= 3 * (len(humps) - 1))


def _shown_query(query: str) -> str:
    return "".join(_shown_pair(pair) for pair in re.split("([&;])", query))


def _shown_pair(pair: str) -> str:
    key, equals, value = pair.partition("=")
    if pair in {"", "&", ";"}:
        return pair
    if not equals or not _KEY.fullmatch(key):
        return HIDDEN
    is_shown = key.lower() in PARAMETERS and _VALUE.fullmatch(value)
    return pair if is_shown or value == HIDDEN else f"{key}={HIDDEN}"
