"""Which region-based detectors take seconds a frame: those that search for their proposals."""

from dataclasses import replace

import pytest

from kpviewer.models.base import takes_seconds
from kpviewer.models.networks.regions.architectures import REGION_ARCHITECTURES, REGION_SPEC


@pytest.mark.parametrize(
    ("system", "is_slow"),
    [("rcnn", True), ("fast-rcnn", True), ("faster-rcnn", False), ("rfcn", False)],
)
def test_systems_that_search_take_seconds(system, is_slow):
    name = f"{system}-light"
    detector = REGION_ARCHITECTURES[name](replace(REGION_SPEC, architecture=name))
    assert takes_seconds(detector.network) is is_slow
