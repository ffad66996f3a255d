"""Families of exports. A new family is a module with ``recognise`` and a line here."""

from __future__ import annotations

from kpviewer.models.onnx.families import ultralytics
from kpviewer.models.onnx.families.base import Family

FAMILIES: tuple[Family, ...] = (ultralytics.recognise,)
