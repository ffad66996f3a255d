"""Every layout that a test of this folder meets must be listed by ``kpviewer models --layouts``."""

import pytest

from kpviewer.models.onnx import recognition
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.names import LAYOUTS


@pytest.fixture(autouse=True)
def layouts_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    recognised = recognition.recognised

    def checked(facts: FileFacts) -> tuple[Recognised, ...]:
        found = recognised(facts)
        assert {each.layout for each in found} <= set(LAYOUTS), "add it to families.names"
        return found

    monkeypatch.setattr(recognition, "recognised", checked)
