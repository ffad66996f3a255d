"""Run the command line: ``python -m kpviewer`` is the same as ``kpviewer``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is imported ends it without a traceback."""
    try:
        from kpviewer.cli.main import main as run  # noqa: PLC0415 - so that Ctrl-C is caught
        from kpviewer.runtime.process.ending import without_unloading  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(130)
    with without_unloading():
        run(prog_name="kpviewer")


if __name__ == "__main__":
    main()
