"""Run the command line: ``python -m kpviewer`` is the same as ``kpviewer``."""

from kpviewer.cli.main import main

main(prog_name="kpviewer")
