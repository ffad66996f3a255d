"""``kpviewer models``: lists models, layouts and backends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kpviewer.models.files.catalogue import ShippedModel


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text.")
@click.option("--backends", is_flag=True, help="List the backends for --backend.")
@click.option("--layouts", is_flag=True, help="List the layouts of ONNX files for --layout.")
def command(as_json: bool, layouts: bool, backends: bool) -> None:
    """List the models of kpviewer and of installed packages, as --model takes them."""
    if backends and layouts:
        raise click.UsageError("--backends and --layouts are two lists. Ask for one of them.")
    if backends:
        _print_backends(as_json)
        return
    if layouts:
        _print_layouts(as_json)
        return
    _print_models(as_json)


def _print_models(as_json: bool) -> None:
    from kpviewer.models.files.catalogue import available_models
    from kpviewer.plug_ins import MODELS, plug_ins

    models = available_models()
    if as_json:
        click.echo(json.dumps([_described(model) for model in models], indent=2))
        return
    if not models:
        click.echo("This installation has no shipped models.", err=True)
    for model in models:
        spec = model.spec
        height, width = spec.input_hw
        click.echo(f"{model.name}   {spec.task}, {width}x{height}, {model.size_bytes / 1e6:.1f} MB")
        click.echo(f"    classes  {', '.join(spec.class_names)}")
        if spec.keypoint_names:
            click.echo(f"    points   {', '.join(spec.keypoint_names)}")
        if model.runnable_name != model.name:
            click.echo(f"    view     --model {model.runnable_name}")
        if model.scores:
            scores = ", ".join(f"{name} {value:g}" for name, value in model.scores.items())
            click.echo(f"    scores   {scores}")
    for added in plug_ins(MODELS).values():
        click.echo(f"{added.name}   of the package {added.package} ({added.code})")


_RUNS = {
    "torch": "kpviewer's own models and networks of torch, on CPU, CUDA and MPS",
    "openvino": "networks of torch on the CPU; ONNX and OpenVINO files, also on Intel's GPU, NPU",
    "onnxruntime": "ONNX files, on CPU, CUDA, DirectML and Core ML, as installed",
    "tensorrt": "TensorRT engines; ONNX files by onnxruntime-gpu",
}


def _print_backends(as_json: bool) -> None:
    from kpviewer.models.libraries.inference import installed_backends
    from kpviewer.models.libraries.torch_needed import INSTALL

    found = installed_backends()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, is_installed in found.items():
        cure = INSTALL if name == "torch" else f"pip install {name}"
        state = "installed" if is_installed else cure
        click.echo(f"{name:<11}   {_RUNS[name]} ({state})")
    click.echo("'kpviewer bench --model M --backends all' measures those that run a model here.")


def _print_layouts(as_json: bool) -> None:
    from kpviewer.models.onnx.families.names import LAYOUTS

    if as_json:
        click.echo(json.dumps(LAYOUTS, indent=2))
        return
    width = max(map(len, LAYOUTS))
    for name, meaning in LAYOUTS.items():
        click.echo(f"{name:<{width}}   {meaning}")


def _described(model: ShippedModel) -> dict[str, Any]:
    """Return the stable JSON form of a ShippedModel."""
    spec = model.spec
    return {
        "name": model.name,
        "watched_as": model.runnable_name,
        "path": str(model.path),
        "task": spec.task,
        "architecture": spec.architecture,
        "classes": spec.class_names,
        "keypoints": spec.keypoint_names,
        "input_hw": spec.input_hw,
        "size_bytes": model.size_bytes,
        "sha256": model.sha256,
        "scores": dict(model.scores),
        "licence": spec.licence,
        "trained_on": spec.trained_on,
    }
