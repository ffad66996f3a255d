"""``kpviewer checks``: checks the installation and suggests fixes."""

import dataclasses
import json

import click


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Check the installation and suggest fixes.

    Exits with 1 if there is a problem to fix.
    """
    from kpviewer.installation.checks import State, all_checks, report

    checks = all_checks()
    is_ok = all(check.state is not State.PROBLEM for check in checks)
    if as_json:
        listed = [dataclasses.asdict(check) for check in checks]
        click.echo(json.dumps({"ok": is_ok, "checks": listed}, indent=2))
    else:
        click.echo(report(checks))
    ctx.exit(0 if is_ok else 1)
