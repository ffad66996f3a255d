"""Functions of ``import kpviewer``; a module is imported when its function is first used."""

from kpviewer.models.libraries.inference import block_reports

block_reports()  # the program may also import libraries that report usage
