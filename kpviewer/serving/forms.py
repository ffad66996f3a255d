"""The one file of a form, in memory: libraries that read forms may write their files to a disk."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from kpviewer.serving.limits import RequestError

_CURE = "Send one file, as by curl -F image=@FILE."


class FormFile:
    """Takes the file out of a form of ``multipart/form-data`` as its bytes arrive.

    Raises:
        RequestError: 422 if its boundary can't be used; so do all methods if it isn't one file.
    """

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise RequestError(422, f"The form names no boundary. {_CURE}")
        self._header, self._disposition, self._value = b"", b"", b""
        self._parts, self._is_whole = 0, False
        self._data = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_begin": self._begin_header,
                    "on_header_field": self._add_name,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._check_part,
                    "on_part_data": self._add_data,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:  # its boundary is too long
            raise RequestError(422, f"The form can't be read. {_CURE}") from error

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the form."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise RequestError(422, f"The form can't be read. {_CURE}") from error

    def data(self) -> bytes:
        """Return the file, once all bytes were taken."""
        if not self._is_whole:
            raise RequestError(422, f"The form has no file, or is cut off. {_CURE}")
        return bytes(self._data)

    def _begin_part(self) -> None:
        self._parts += 1
        self._disposition = b""

    def _begin_header(self) -> None:
        self._header, self._value = b"", b""

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value

    def _check_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" not in options or self._parts > 1:
            raise RequestError(422, f"The form has other parts than one file. {_CURE}")

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def _end(self) -> None:
        self._is_whole = True
