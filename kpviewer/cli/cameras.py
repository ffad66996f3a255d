"""``kpviewer cameras``: lists cameras and screens."""

import json
from dataclasses import asdict

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list: index, name, path, id.")
def command(as_json: bool) -> None:
    """List the cameras and screens of this machine."""
    from kpviewer.sources.devices.camera import list_cameras
    from kpviewer.sources.devices.screen import list_screens

    cameras = list_cameras()
    if as_json:
        click.echo(json.dumps([asdict(camera) for camera in cameras], indent=2))
        return
    if not cameras:
        click.echo("No camera found. Is it plugged in? 'kpviewer demo' needs none.")
    for camera in cameras:
        click.echo(f"{camera.index}  {camera.name}" + (f"  ({camera.path})" if camera.path else ""))
    for screen in list_screens():
        click.echo(f"screen:{screen.index}  {screen.name}")
