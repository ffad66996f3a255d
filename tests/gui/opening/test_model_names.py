from kpviewer.errors import WeightsError
from kpviewer.gui.opening import model_names
from kpviewer.models.files.catalogue import available_models


def test_menus_read_the_shipped_files_once_they_are_readable(monkeypatch):
    model_names.read_shipped.cache_clear()
    reads = []

    def read():
        reads.append(1)
        if len(reads) == 1:
            raise WeightsError("face-ssd.safetensors is damaged.")
        return available_models()

    monkeypatch.setattr(model_names, "available_models", read)
    assert model_names.shipped_models() == []
    assert "face-ssd" in dict(model_names.shipped_models())
    assert model_names.shipped_models()
    assert len(reads) == 2
