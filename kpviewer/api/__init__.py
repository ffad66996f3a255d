"""The functions of ``import kpviewer``; each module is imported when its function is first used."""

from kpviewer.models.inference_libraries import block_reports

block_reports()  # a program that imports kpviewer may import what reports usage, too
