"""Turns of threads at Python's lock."""

import sys

import pytest

from kpviewer.runtime.process.threads import short_turns


def test_turns_are_short_for_a_time_whatever_happens_in_it():
    usual_s = sys.getswitchinterval()
    with pytest.raises(ValueError, match="enough"), short_turns():
        assert sys.getswitchinterval() == pytest.approx(0.0005)
        raise ValueError("enough")
    assert sys.getswitchinterval() == usual_s
