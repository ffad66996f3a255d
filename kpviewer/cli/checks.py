"""``kpviewer checks``: is this installation sound, and if not, what mends it?"""

from __future__ import annotations

import dataclasses
import json

import click

MARKS = {"ok": "ok  ", "note": "note", "problem": "NO  "}


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Check this installation and say how to mend it.

    Exits with 1 if something must be mended.
    """
    from kpviewer.cli.installation import State, all_checks

    checks = all_checks()
    is_sound = all(check.state is not State.PROBLEM for check in checks)
    if as_json:
        listed = [dataclasses.asdict(check) for check in checks]
        click.echo(json.dumps({"ok": is_sound, "checks": listed}, indent=2))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            click.echo(f"{MARKS[check.state]}  {check.name:{width}}  {check.found}")
            if check.cure:
                click.echo(f"{'':{width + 6}}  -> {check.cure}")
    ctx.exit(0 if is_sound else 1)
