"""Models of other programs: refused in one line that says which export opens."""

import json
import shlex
import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from kpviewer.errors import WeightsError
from kpviewer.models.files.foreign import FOREIGN_SUFFIXES, foreign_refusal
from kpviewer.models.loading import open_model


class Net(torch.nn.Module):
    """Network of one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.conv(images)


def refusal(path: Path | str) -> str:
    with pytest.raises(WeightsError) as caught:
        open_model(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


CURES = {
    "best.tflite": "tf2onnx.convert --tflite best.tflite --output best.onnx",
    "my best.tflite": "--tflite 'my best.tflite' --output 'my best'.onnx",
    "best.ENGINE": "yolo export model=best.pt format=onnx",
    "best.mlmodel": "yolo export model=best.pt format=onnx",
    "best.torchscript": "yolo export model=best.pt format=onnx",
    "best.pt2": "yolo export model=best.pt format=onnx",
    "graph.pb": "tf2onnx.convert --saved-model FOLDER",
    "best.h5": 'export("model.onnx", format="onnx")',
    "best.keras": 'export("model.onnx", format="onnx")',
    "best.hef": "the ONNX file that it was compiled from",
    "it's {best}.tflite": "--tflite 'it'\"'\"'s {best}.tflite'",
}


@pytest.mark.parametrize("name", CURES)
def test_a_file_of_another_format_is_refused_with_the_export(name, tmp_path):
    path = tmp_path / name
    path.touch()
    assert CURES[name] in refusal(path)


@pytest.mark.parametrize("suffix", FOREIGN_SUFFIXES)
def test_every_foreign_suffix_names_onnx(suffix, tmp_path):
    path = tmp_path / f"net{suffix}"
    path.touch()
    text = refusal(path)
    assert text.startswith(f"net{suffix} ")
    assert "onnx" in text.lower()
    assert "safetensors" not in text


def test_a_file_that_is_missing_is_not_explained(tmp_path):
    assert "no such file exists" in refusal(tmp_path / "net.tflite")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.PT"])
def test_torchscript_by_any_name_is_refused(name, tmp_path):
    path = tmp_path / name
    torch.jit.script(Net()).save(str(path))
    text = refusal(path)
    assert "TorchScript" in text
    assert "yolo export model=ORIGINAL.pt format=onnx" in text


def test_a_program_of_torch_export_is_refused_by_any_name(tmp_path):
    program = torch.export.export(Net().eval(), (torch.zeros(1, 3, 8, 8),))
    torch.export.save(program, tmp_path / "net.pt2")
    (tmp_path / "net.pt2").rename(tmp_path / "net.pt")
    assert "torch.export" in refusal(tmp_path / "net.pt")


@pytest.mark.parametrize("config", [{"architectures": ["DetrForObject"]}, {"model_type": "detr"}])
def test_a_model_of_hugging_face_is_refused_with_the_export(config, tmp_path):
    folder = tmp_path / "my detr"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    path = folder / "model.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    for name in (folder, path):
        command = f"optimum-cli export onnx --model {shlex.quote(str(folder))} onnx"
        assert command in refusal(name)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"architectures": []}', '{"architectures": 3}', "[" * 9]
)
def test_another_config_beside_weights_explains_nothing(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    path = tmp_path / "model.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    assert "doesn't say what model it holds" in refusal(path)


def test_a_saved_model_of_tensorflow_is_refused_with_the_conversion(tmp_path):
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "saved_model.pb").touch()
    assert "--saved-model net --output net.onnx" in refusal(folder)


PICKLES = {
    "ultralytics.nn.tasks": "yolo export model='my best.pt' format=onnx",
    "models.yolo": "python export.py --weights 'my best.pt' --include onnx",
    "super_gradients.training.models": 'model.export("model.onnx")',
    "own": "torch.onnx.export(model, image",
}


@pytest.mark.parametrize("module", PICKLES)
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".PT"])
def test_a_pickled_model_is_refused_with_its_makers_export(module, suffix, tmp_path, monkeypatch):
    made = types.ModuleType(module)
    kind = type("Model", (torch.nn.Module,), {"__module__": module})
    made.Model = kind
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:end]), made)
    path = tmp_path / f"my best{suffix}"
    torch.save({"model": kind(), "epoch": 3}, path)
    assert PICKLES[module].replace(".pt'", f"{suffix}'") in refusal(path)


MAKERS = {
    "bbox_head.cls.weight": "MMDeploy",
    "backbone.backbone.stem.conv.weight": "python tools/export_onnx.py -c net.pth",
    "refpoint_embed.weight": "RFDETRBase",
    "model.0.conv.weight": "yolo export",
}


@pytest.mark.parametrize("name", MAKERS)
def test_tensors_of_another_program_are_refused_with_its_export(name, tmp_path):
    path = tmp_path / "net.pth"
    torch.save({"model": {name: torch.zeros(3), "model.1.conv.weight": torch.zeros(3)}}, path)
    assert MAKERS[name] in refusal(path)


def test_braces_in_the_name_of_a_folder_are_no_placeholders(tmp_path):
    folder = tmp_path / "run{0}_ncnn_model"
    folder.mkdir()
    (folder / "model.ncnn.param").touch()
    assert (foreign_refusal(folder) or "").startswith("run{0}_ncnn_model is an NCNN model.")
