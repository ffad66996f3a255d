"""Reader of Pascal VOC XML files: the VOC layout of folders, and the plain folders of LabelImg.

XML is untrusted: defusedxml reads it within limits, and its image paths aren't followed.
"""

import math
import os
import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser

from kpviewer.annotations.formats.voc.files import VocFiles, find_voc_files
from kpviewer.annotations.limits import decode_text, read_bounded
from kpviewer.annotations.problems import (
    MALFORMED,
    NO_LABELS,
    STRICT,
    UNREADABLE_XML,
    Problem,
    Problems,
)
from kpviewer.annotations.reading.object_columns import ImageHead, ObjectColumns
from kpviewer.annotations.reading.rotation import Box, rotated_box
from kpviewer.annotations.reading.values import EntryLocation, brief, image_size, is_set, number
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError

LIMIT_MB = 16
MAX_DEPTH = 32
MAX_ELEMENTS = 400_000
"""Largest number of elements of one file; an object has 8."""
_DECLARED = re.compile(
    rb"<\?xml[^>]{0,80}encoding=[\"'](?P<encoding>gb2312|gbk|gb18030|big5|shift_jis|euc-jp|euc-kr)[\"']"
    rb"[^>]{0,80}\?>",
    re.IGNORECASE,
)
"""Declaration of an encoding that expat doesn't know, at the beginning of a file."""
_ENCODING = re.compile(rb"<\?xml[^>]{0,80}encoding=[\"']([\w-]+)")


def read_voc(
    folder: Path | str, split: str | None = None, problems: Problems = STRICT
) -> AnnotationSet:
    """Read a folder of Pascal VOC annotations.

    Args:
        folder: folder with ``Annotations``, ``JPEGImages`` and ``ImageSets/Main`` as in VOC, with
            ``annotations`` and ``images`` as on Kaggle, or with XML files beside their images, as
            LabelImg and Roboflow write them.
        split: name of a list in ``ImageSets/Main``, such as ``train``, or of a folder inside; or
            the path of the folder of the images. None reads every XML file.
        problems: collector of what can't be used, and is left out.

    Returns:
        The set; classes in alphabetical order. Coordinates are unchanged: current tools count
        from 0. A size of (0, 0) means that the file doesn't specify it.

    Raises:
        DatasetError: if something is missing or malformed. Boxes without area are left out and
            counted in ``notes``.
    """
    files = find_voc_files(Path(folder), split)
    reading = _Reading(Path(folder), problems)
    for xml in files.xml:
        with problems.collected(UNREADABLE_XML):
            reading.add(xml, files)
    return reading.objects.in_named_classes()


class _Reading:
    """One reading of a set, file by file."""

    def __init__(self, root: Path, problems: Problems) -> None:
        self._problems = problems
        self.objects = ObjectColumns(root, 0, problems)

    def add(self, xml: Path, files: VocFiles) -> None:
        """Read one file; a listed image without one shows nothing, as CVAT exports it.

        Raises:
            DatasetError: if it isn't a VOC file, or its size is malformed.
        """
        if not os.path.lexists(xml) and os.path.isfile(alone := files.image_of(xml, "")):
            self.objects.add_image(ImageHead(alone, (0, 0), alone.name))
            self._problems.append(Problem(NO_LABELS, str(alone), is_error=False))
            return
        root = _parse(xml)
        name = (root.findtext("filename") or "").replace("\\", "/").rpartition("/")[2].strip()
        path = files.image_of(xml, name.replace("\0", ""))
        source = (root.findtext("source/database") or "").strip()[:200]
        size = root.findtext("size/width"), root.findtext("size/height")
        head = ImageHead(
            path, image_size(*size, xml), path.name, "" if source == "Unknown" else source
        )
        image = self.objects.add_image(head)
        for position, element in enumerate(root.iterfind(".//object"), 1):
            with self._problems.collected(MALFORMED, image):
                self._add_object(element, xml, position)

    def _add_object(self, element: Element, xml: Path, position: int) -> None:
        image, where = self.objects.last_image, EntryLocation(xml, "object", position)
        box, rotation = _box(element, where)
        if self.objects.has_area(image, box, where):
            box, corners = rotated_box(box, rotation, where, self._problems)
            difficult = is_set(element.findtext("difficult"))
            name = self.objects.classes.number(_class_name(element, xml))
            self.objects.add(image, box, name, difficult=difficult)
            self.objects.set_outline(corners)


def _box(element: Element, where: EntryLocation) -> tuple[Box, float | str | None]:
    """Return the box of an object before its rotation, and the angle in degrees, if it has one."""
    rotated = element.find("robndbox")  # of roLabelImg
    if rotated is not None and element.find("bndbox") is None:
        names = ("cx", "cy", "w", "h", "angle")
        x, y, width, height, angle = (number(rotated.findtext(each), each, where) for each in names)
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        return box, math.degrees(angle)
    if element.find("bndbox") is None:
        cure = "Is the file of another format? Export it as Pascal VOC, COCO or YOLO."
        raise DatasetError(f"{where}: an object needs a <bndbox>, got none. {cure}")
    left, top, right, bottom = (
        number(element.findtext(f"bndbox/{side}"), side, where)
        for side in ("xmin", "ymin", "xmax", "ymax")
    )
    return (left, top, right, bottom), _rotation(element)


def _rotation(element: Element) -> str | None:
    """Return the angle that CVAT adds to an object, as written; None if there is none."""
    attributes = element.iterfind("attributes/attribute")
    texts = (each.findtext("value") for each in attributes if each.findtext("name") == "rotation")
    return next(texts, None)


def _parse(file: Path) -> Element:
    """Parse one file within limits on depth and size, without document types or entities."""
    data = read_bounded(file, LIMIT_MB)
    parser = DefusedXMLParser(target=_LimitedBuilder(), forbid_dtd=True)
    try:
        data = _in_utf8(data)
        parser.feed(data)  # at once: expat rereads a long tag for each part
        root = parser.close()
    except DTDForbidden as error:
        raise DatasetError(
            f"{file} has a document type, which isn't read. Remove <!DOCTYPE …> from it."
        ) from error
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        if (declared := _ENCODING.match(data)) is None or declared[1].lower() == b"utf-8":
            decode_text(data, file)  # another encoding, unless this succeeds
        raise DatasetError(
            f"{file} must be a Pascal VOC XML file: {brief(error)}. Is it damaged?"
        ) from error
    if not isinstance(root, Element) or root.tag != "annotation":
        got = f"<{root.tag[:40]}>" if isinstance(root, Element) else "nothing"
        cure = " Export it as Pascal VOC, COCO or YOLO." if got == "<annotations>" else ""
        raise DatasetError(f"{file} must be a Pascal VOC <annotation>, got {got}.{cure}")
    return root


def _in_utf8(data: bytes) -> bytes:
    """Return XML of a Chinese, Japanese or Korean encoding in UTF-8: expat doesn't know them."""
    declared = _DECLARED.match(data)
    if declared is None:
        return data
    name = declared["encoding"].decode()
    text = data.decode("gb18030" if name.lower().startswith("gb") else name)
    return text[text.index("?>") + 2 :].encode()


class _LimitedBuilder(TreeBuilder):
    """Builder of the elements of one file, with limits on their depth and number."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._count = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        """Begin an element.

        Raises:
            ParseError: if there are too many, or too many inside each other.
        """
        self._depth += 1
        tag = _plain(tag)
        self._count += 1 + len(attrs)
        if self._depth > MAX_DEPTH:
            raise ParseError(f"elements nested deeper than {MAX_DEPTH}")
        if self._count > MAX_ELEMENTS:
            raise ParseError(f"more than {MAX_ELEMENTS} elements")
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        """End an element."""
        self._depth -= 1
        return super().end(_plain(tag))


def _plain(tag: str) -> str:
    """Return the name of an element in lower case, without its namespace."""
    return tag.rpartition("}")[2].lower()


def _class_name(element: Element, file: Path) -> str:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise DatasetError(f"{file}: every object needs a name. Label it and save again.")
    return name
