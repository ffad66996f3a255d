"""Label files of the frames of a video: those of this video, their numbers, and missing ones."""

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kpviewer.annotations.problems import and_more, left_out
from kpviewer.annotations.reading.fitting import without_marks
from kpviewer.annotations.reading.values import listed

_NUMBERED = re.compile(r"((?:.*\D)?)(\d{1,9})", re.DOTALL)
_OF_ANY = re.compile(r"[\W_]*(?:(?:frames?|images?|img|im|out|output)[\W_]*)?")
"""What stands before the number in names that don't name the video."""
_MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class FrameLabels:
    """Label files by the frames of one video."""

    by_frame: dict[int, Path]
    """Label file by frame number, from 0."""
    are_all: bool = False
    """Whether a frame without a file shows nothing; otherwise it isn't annotated."""
    notes: tuple[str, ...] = ()
    """Sentences for the user: what was taken, and what is left out."""


@dataclass(frozen=True, slots=True)
class _Numbered:
    path: Path
    prefix: str
    digits: str

    @property
    def number(self) -> int:
        return int(self.digits)


def number_in(path: Path) -> int | None:
    """Return the number at the end of a name, without its suffix and the marks of tools."""
    match = _NUMBERED.fullmatch(without_marks(path.stem))
    return int(match.group(2)) if match else None


def is_frame_of(path: Path, video: Path) -> bool:
    """Return whether a name is that of a video, perhaps with a word like "frame" and a number."""
    stem, begins = without_marks(path.stem), _beginning(video)
    match = _NUMBERED.fullmatch(stem)
    names = (stem, match[1]) if match else (stem,)
    return any(begins.fullmatch(_plain(name)) for name in names)


def names_a_video(path: Path) -> bool:
    """Return whether a name holds more than a number and a word such as "frame"."""
    match = _NUMBERED.fullmatch(without_marks(path.stem))
    return match is None or _OF_ANY.fullmatch(_plain(match[1])) is None


def match_frame_labels(
    files: Sequence[Path], empty: Collection[Path], video: Path, frames: int | None
) -> FrameLabels:
    """Choose the label files of a video and number its frames.

    - Files that begin with the video's name, or lie in a folder of this name, count before those
      that name no video (``frame_000001.txt``). Files of other names are of other videos.
    - Numbers count from 0 if there is a 0. They count from 1 if one is the number of frames, if the
      lowest is 1, or if the files are named as Ultralytics names them (``clip_7.txt``).
    - A frame without a file shows nothing if the files are named as by Ultralytics, which writes
      none then, and no file is empty. Otherwise the frame isn't annotated.

    Args:
        files: label files of one or more videos.
        empty: those without objects.
        video: path of the video.
        frames: its number of frames; None if unknown.
    """
    found, is_named = _of_video(files, video)
    numbers = [each.number for each in found]
    first_of = {number: row for row, number in reversed(list(enumerate(numbers)))}
    if not found or (len(first_of) < len(found) and not is_named):
        return FrameLabels({}, notes=(_none_note(files, found, video),))
    of_ultralytics = _is_of_ultralytics(found, video)
    is_certain = 0 in first_of or frames in first_of
    from_one = 0 not in first_of and (frames in first_of or of_ultralytics or 1 in first_of)
    by_frame = {number - from_one: found[row].path for number, row in sorted(first_of.items())}
    are_all = of_ultralytics and not any(each.path in empty for each in found)
    notes = []
    if len(first_of) < len(found):
        twice = next(each for row, each in enumerate(found) if first_of[each.number] != row)
        reason = "their frame has another file, and the first one counts"
        notes.append(left_out(len(found) - len(first_of), len(found), "label files", reason,
                              twice.path.name))  # fmt: skip
    if not is_named:
        notes.append(
            f"the labels name no video, and are taken as those of {video.name}: "
            f"{and_more(found[0].path.name, len(found))}"
        )
    if not is_certain:
        number, path = next(iter(by_frame.items()))
        notes.append(
            f"labels are taken to count from {int(from_one)}: {path.name} is of frame {number} of "
            f"{video.name}, where 0 is the first. Renumber the files if it isn't"
        )
    notes += _missing_notes(by_frame, frames, are_all=are_all)
    return FrameLabels(by_frame, are_all, tuple(notes))


def _missing_notes(
    by_frame: Mapping[int, Path], frames: int | None, *, are_all: bool
) -> Iterator[str]:
    """Yield a note on how frames without a file are read, if there may be any."""
    missing = None if frames is None else sum(each not in by_frame for each in range(frames))
    if missing == 0:
        return
    share = "" if missing is None else f": {missing} of {frames}"
    if not are_all:
        cure = "An empty file says that a frame has no objects"
        yield f"frames without a label file aren't annotated{share}. {cure}"
        return
    is_short = frames is not None and 2 * (max(by_frame) + 1) <= frames
    doubt = ". They don't fit if vid_stride was used" if is_short else ""
    yield f"frames without a label file have no objects, as in Ultralytics{share}{doubt}"


def _of_video(files: Iterable[Path], video: Path) -> tuple[list[_Numbered], bool]:
    """Return the numbered files of a video, and whether they name it."""
    matches = ((path, _NUMBERED.fullmatch(without_marks(path.stem))) for path in files)
    numbered = [_Numbered(path, _plain(match[1]), match[2]) for path, match in matches if match]
    own = _names_of(video)
    begins = _beginning(video)
    named = [each for each in numbered if begins.fullmatch(each.prefix)]
    general = [each for each in numbered if _OF_ANY.fullmatch(each.prefix)]
    inside = [each for each in general if own & {_plain(part) for part in each.path.parts[:-1]}]
    return named or inside or general, bool(named or inside)


def _names_of(video: Path) -> set[str]:
    return {_plain(name) for name in (video.stem, video.name, without_marks(video.stem))}


@lru_cache(maxsize=1)
def _beginning(video: Path) -> re.Pattern[str]:
    """Return the pattern of what stands before the number in names that name a video."""
    suffix = re.escape(_plain(video.suffix[1:]))
    stems = "|".join(map(re.escape, sorted(_names_of(video))))
    return re.compile(rf"(?:{stems})(?:[\W_]{suffix})?(?:[\W_]+{_OF_ANY.pattern})?", re.DOTALL)


def _is_of_ultralytics(found: Sequence[_Numbered], video: Path) -> bool:
    """Return whether files are named as by Ultralytics' ``save_txt``, without regular gaps."""
    is_named = all(
        each.prefix == f"{_plain(video.stem)}_" and each.digits == str(each.number) != "0"
        for each in found
    )
    lowest = min(each.number for each in found)
    return is_named and math.gcd(*(each.number - lowest for each in found)) == 1


def _none_note(files: Sequence[Path], found: Sequence[_Numbered], video: Path) -> str:
    if found:
        folders = listed(sorted({each.path.parent.name for each in found}), _MAX_NAMED)
        why, cure = f"several of its labels have the same number ({folders})", "Name one folder"
    else:
        why = f"its labels are named {and_more(files[0].name, len(files))}"
        cure = f"Name them {video.stem}_1.txt and so on, with the numbers of the frames"
    return f"ground truth fits no frame of {video.name}: {why}. {cure}"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
