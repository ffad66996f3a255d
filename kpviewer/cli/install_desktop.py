"""``kpviewer install-desktop``: an entry in the menu of applications."""

from __future__ import annotations

import click


@click.command("install-desktop")
@click.option("--remove", is_flag=True, help="Delete the entry and its icon.")
def command(remove: bool) -> None:
    """Add kpviewer to the applications menu of a Linux desktop, for this user.

    Videos and images then open with kpviewer from the file manager, too.
    """
    from kpviewer import desktop

    paths = desktop.remove() if remove else desktop.install()
    for path in paths:
        click.echo(f"{'Removed' if remove else 'Installed'} {path}")
    if not paths:
        click.echo(f"Nothing to remove in {desktop.data_folder()}.")
