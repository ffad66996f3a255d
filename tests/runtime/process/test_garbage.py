"""Garbage collection waits while much is made."""

import gc
import weakref

import pytest

from kpviewer.runtime.process.garbage import without_collection, young_collections


class Circle:
    """Garbage once it is dropped, which only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


def test_nothing_is_collected_meanwhile():
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_failure_leaves_collection_as_it_was():
    with pytest.raises(OSError, match="no file"), without_collection():
        raise OSError("no file")
    assert gc.isenabled()


def test_collection_that_was_off_stays_off():
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_young_garbage_is_collected_meanwhile_and_old_is_not():
    before, old = gc.get_threshold(), Circle()
    gc.collect()
    with young_collections():
        young = Circle()
        left = weakref.ref(old), weakref.ref(young)
        del old, young
        kept = [[] for _ in range(500_000)]
        assert [each() is None for each in left] == [False, True]
    assert gc.get_threshold() == before
    assert kept
