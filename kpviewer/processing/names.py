"""Names of the files of many sources, chosen before the first is processed.

Every worker, shard and machine chooses the same names from the same list: those that one process
would choose that processes the list in order. Files that exist don't count: ``claims`` avoids them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from kpviewer.processing.manifest import is_manifest
from kpviewer.processing.options import ProcessOptions
from kpviewer.recording.files import source_stem, stem_for_endings
from kpviewer.recording.segment import ENDINGS, output_endings
from kpviewer.sources.naming import path_of

REPORT_ENDING = "_report"
"""Text after the name of the source in the name of the report's folder."""
EVERY_ENDING = (*output_endings(tuple(ENDINGS)), REPORT_ENDING)


def stem_of(source: str | None) -> str:
    """Return the name without suffix of the files of a source, as a user names the source."""
    path = path_of(source)
    if path is None:
        return source_stem(source or "")
    return source_stem(path.resolve().name if path.is_dir() else str(path))


def endings_of(options: ProcessOptions) -> tuple[str, ...]:
    """Return the text after the stem in the name of every file that is written anew.

    A scan isn't among them: it is continued.
    """
    return (*output_endings(options.outputs), *([REPORT_ENDING] if options.report else []))


def planned_stems(sources: Sequence[str], endings: Iterable[str]) -> list[str]:
    """Return the stem of each source's files, such that no two sources write a file of one name.

    The second ``clip.mp4`` gets ``clip_2``. Upper and lower case are one, as on some disks.
    """
    ends = [ending.lower() for ending in endings] or [""]
    taken, numbers = set[str](), Counter[str]()
    stems = []
    for source in sources:
        base = stem_of(source)
        names: set[str] = set()
        while not names or not taken.isdisjoint(names) or any(map(is_manifest, names)):
            numbers[base] += 1
            stem = stem_for_endings(base, numbers[base])
            names = {stem.lower() + end for end in ends}
        taken |= names
        stems.append(stem)
    return stems
