"""``python -m kpviewer`` is ``kpviewer``."""

from kpviewer.cli.main import main

main(prog_name="kpviewer")
