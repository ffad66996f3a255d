"""Tables and folders of CelebA, in the layouts of its authors, torchvision and Kaggle.

The authors' folder has ``Anno``, ``Eval`` and ``Img``; torchvision's and Kaggle's have everything
side by side. Tables are text (a count, a line of names, then values separated by blanks) or CSV.

Source: Liu et al. 2015, Deep Learning Face Attributes in the Wild (arXiv:1411.7766);
https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from kpviewer.annotations.limits import decode_text, read_bounded
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems
from kpviewer.annotations.reading.values import shorten
from kpviewer.errors import DatasetError

LIMIT_MB = 64
"""Largest size of a table, MB; list_attr_celeba.txt has 27 MB."""
LANDMARKS, PARTITION = "list_landmarks_align_celeba", "list_eval_partition"
SPLITS = {"train": "0", "val": "1", "test": "2"}
POINT_NAMES = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""Names in CelebA's order; left is the viewer's left."""
FIRST_PX = 0.5
"""Position of pixel 0: CelebA counts whole pixels, whose centres are meant."""
_TABLE_FOLDERS, _IMAGE_FOLDERS = ("", "Anno", "Eval"), ("", "Img")
_ENDINGS = (".txt", ".csv")


@dataclass(frozen=True, slots=True)
class CelebaTable:
    """One table, whose rows are read one at a time."""

    path: Path
    lines: list[str]
    """All lines: perhaps a count, perhaps the names of the columns, then the rows."""

    @property
    def names(self) -> list[str]:
        """Names of the columns after the first; none if no line above the rows has them."""
        above = takewhile(lambda cells: not _is_row(cells), map(_cells, self.lines))
        names = next((cells for cells in above if len(cells) > 1), [])
        return names[1:] if names[:1] == ["image_id"] else names

    def rows(self, width: int, problems: Problems = STRICT) -> Iterator[tuple[str, list[str]]]:
        """Yield the location and the cells of each row with ``width`` cells.

        Raises:
            DatasetError: for a row of another width, unless ``problems`` collects it.
        """
        for line, cells in enumerate(map(_cells, self.lines), 1):
            if not _is_row(cells):
                continue
            where = f"{self.path}, line {line}"
            with problems.collected(MALFORMED):
                if len(cells) != width:
                    raise DatasetError(
                        f"{where}: a row must be an image's name and {width - 1} values, got "
                        f"{shorten(' '.join(cells))}. Is the file complete?"
                    )
            if len(cells) == width:
                yield where, cells


def find_table(root: Path, stem: str) -> Path | None:
    """Return the file of a table below CelebA's folder; None if there is none."""
    paths = (root / folder / f"{stem}{end}" for folder in _TABLE_FOLDERS for end in _ENDINGS)
    return next((path for path in paths if path.is_file()), None)


def read_table(root: Path, stem: str) -> CelebaTable:
    """Read a table.

    Raises:
        DatasetError: if it is missing or can't be read.
    """
    path = find_table(root, stem)
    if path is None:
        raise DatasetError(
            f"{root} must hold {stem}.txt or {stem}.csv, and has neither. Is it CelebA's folder?"
        )
    text = decode_text(read_bounded(path, LIMIT_MB), path, "replace")
    return CelebaTable(path, text.splitlines())


def _cells(line: str) -> list[str]:
    return line.replace(",", " ").split()


def _is_row(cells: list[str]) -> bool:
    """Return whether a line begins with the name of an image."""
    return bool(cells) and "." in cells[0]


def images_folder(root: Path, name: str) -> Path:
    """Return the folder of the images; archives may hold a second folder of the same name."""
    above = [root / folder for folder in _IMAGE_FOLDERS]
    likely = [each / outer / name for each in above for outer in (name, f"{name}.7z")]
    likely += [each / name for each in above]
    return next((folder for folder in likely if folder.is_dir()), root / name)


def images_of_split(root: Path, split: str | None) -> set[str] | None:
    """Return the names of the images of a split; None for all images.

    Raises:
        DatasetError: if the split is unknown, or the partition can't be read.
    """
    if split is None:
        return None
    if split not in SPLITS:
        raise DatasetError(f"CelebA has the splits {', '.join(SPLITS)}, got {shorten(split)}.")
    return {
        cells[0] for _, cells in read_table(root, PARTITION).rows(2) if cells[1] == SPLITS[split]
    }
