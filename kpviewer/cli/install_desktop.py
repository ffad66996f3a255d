"""``kpviewer install-desktop``: adds an entry to the applications menu."""

import click


@click.command()
@click.option("--remove", is_flag=True, help="Delete the entry and its icon.")
def command(remove: bool) -> None:
    """Add kpviewer to the applications menu of a Linux desktop, for this user.

    File managers can then open videos and images with kpviewer.
    """
    from kpviewer import desktop

    paths = desktop.remove() if remove else desktop.install()
    for path in paths:
        click.echo(f"{'Removed' if remove else 'Installed'} {path}")
    if not paths:
        click.echo(f"Nothing to remove in {desktop.data_folder()}.")
