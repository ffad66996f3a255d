"""Garbage collection waits while much is made."""

import gc

import pytest

from kpviewer.runtime.garbage import without_collection


def test_nothing_is_collected_meanwhile() -> None:
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_failure_leaves_collection_as_it_was() -> None:
    with pytest.raises(OSError, match="no file"), without_collection():
        raise OSError("no file")
    assert gc.isenabled()


def test_collection_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
