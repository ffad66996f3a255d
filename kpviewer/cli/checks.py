"""``kpviewer checks``: is this installation sound, and if not, what mends it?"""

from __future__ import annotations

import dataclasses
import json

import click


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Check this installation and say how to mend it.

    Exits with 1 if something must be mended.
    """
    from kpviewer.installation.checks import State, all_checks, report

    checks = all_checks()
    is_sound = all(check.state is not State.PROBLEM for check in checks)
    if as_json:
        listed = [dataclasses.asdict(check) for check in checks]
        click.echo(json.dumps({"ok": is_sound, "checks": listed}, indent=2))
    else:
        click.echo(report(checks))
    ctx.exit(0 if is_sound else 1)
