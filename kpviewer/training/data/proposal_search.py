"""Search for the proposals of a whole data set, by several processes, before it is needed."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.errors import KpviewerError
from kpviewer.models.networks.regions.selective_search import SearchSettings, selective_search
from kpviewer.structures import FloatArray
from kpviewer.training.data.feed import prepare_worker
from kpviewer.training.data.proposal_cache import ProposalCache
from kpviewer.training.data.samples import load_sample


class SearchReport(NamedTuple):
    """What a search of a data set did."""

    searched: int
    """Number of images that were searched; the proposals of the others were kept before."""
    seconds: float
    """Mean processor time of a search, s, which other programs don't lengthen; 0 without any."""


def search_all(
    images: Sequence[AnnotatedImage],
    cache: ProposalCache,
    workers: int = 0,
    progress: Callable[[int], object] = lambda count: None,
) -> SearchReport:
    """Search the images whose proposals a cache lacks, and write them there, one by one.

    An interrupted search continues where it stopped.

    Args:
        images: images of a data set.
        cache: where proposals are kept.
        workers: number of processes that search; 0: this one does.
        progress: called with the number of images that were finished since its last call.

    Raises:
        DatasetError: if an image can't be read.
        WeightsError: if scikit-image is needed and isn't installed.
        RecordingError: if the folder can't be written.
    """
    paths = [cache.path_of(item.path) for item in images]
    missing = {
        path: item for path, item in zip(paths, images, strict=True) if cache.read(path) is None
    }
    progress(len(images) - len(missing))
    seconds = 0.0
    results = _results(list(missing.values()), cache.settings, workers)
    for path, result in zip(missing, results, strict=True):
        if isinstance(result, KpviewerError):
            raise result
        cache.write(path, result.xyxy)
        seconds += result.seconds
        progress(1)
    cache.trim(set(paths))
    return SearchReport(len(missing), seconds / max(1, len(missing)))


def prepare(images: Sequence[AnnotatedImage], cache: ProposalCache, workers: int) -> None:
    """Search for all proposals of a training run, with a progress bar on stderr.

    Raises:
        DatasetError, WeightsError, RecordingError: as ``search_all``.
    """
    with tqdm(total=len(images), unit="image", desc="proposals", disable=None, leave=False) as bar:
        search_all(images, cache, workers, bar.update)


class _Found(NamedTuple):
    """Proposals of one image."""

    xyxy: FloatArray
    seconds: float


class _Searches(Dataset["_Found | KpviewerError"]):
    """Searches of images as a data set, so that torch's workers share them."""

    def __init__(self, images: Sequence[AnnotatedImage], settings: SearchSettings) -> None:
        self._images, self._settings = images, settings

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._images)

    def __getitem__(self, index: int) -> _Found | KpviewerError:
        """Search an image; return what a worker would raise, as torch adds a traceback to it."""
        try:
            rgb = load_sample(self._images[index]).rgb
            begin = time.thread_time()
            xyxy = selective_search(rgb, self._settings)
        except KpviewerError as error:
            return error
        return _Found(xyxy, time.thread_time() - begin)


def _results(
    images: Sequence[AnnotatedImage], settings: SearchSettings, workers: int
) -> Iterator[_Found | KpviewerError]:
    """Search images in their order."""
    loader = DataLoader(
        _Searches(images, settings),
        batch_size=None,
        num_workers=min(workers, len(images)),
        collate_fn=_unchanged,
        worker_init_fn=prepare_worker if workers else None,
    )
    return iter(loader)


def _unchanged(result: Any) -> Any:
    """Return a result as it is: torch would make tensors of arrays."""
    return result
