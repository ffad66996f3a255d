"""``kpviewer check-data``: finds problems of data sets before training."""

import click

from kpviewer.annotations.spec import FORMS
from kpviewer.cli.data_problems import counted, problem_lines, run_checks
from kpviewer.cli.json_output import print_report
from kpviewer.cli.options import json_option
from kpviewer.errors import DatasetError


@click.command(epilog=f"SPEC is {FORMS}, or a path alone.")
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option(
    "--val",
    "val_spec",
    metavar="SPEC",
    help="Validation data; copies of its images in SPEC are errors.",
)
@json_option("the problems")
def command(*, specs: tuple[str, ...], val_spec: str | None, json_path: str | None) -> None:
    """Check annotated data sets.

    Lists these problems, each with its cure: missing, truncated and unreadable images; boxes and
    points outside the image; boxes that are inverted or have no area; coordinates that aren't px;
    objects labelled twice; labels without image and images without labels; unusable entries; and
    images in both SPEC and --val. Exits with 5 if training would not start.
    """
    sets, lines = run_checks(specs, val_spec), []
    for one in sets:
        objects = (
            sum(len(image.targets) for image in one.annotations.images) if one.annotations else 0
        )
        lines.append(
            f"{one.spec}: {counted(one.images, 'image')}, {counted(objects, 'valid object')}"
        )
    values = {"sets": [
        {"data": str(one.spec), "pictures": one.images, "errors": one.errors,
         "problems": [{"what": each.what, "where": each.where, "is_error": each.is_error}
                      for each in one.problems]}
        for one in sets
    ]}  # fmt: skip
    print_report("\n".join([*lines, *problem_lines(sets)]), values, json_path)
    errors = sum(one.errors for one in sets)
    if errors:
        raise DatasetError(
            f"{counted(errors, 'error')}: training would not start without --skip-bad."
        )
