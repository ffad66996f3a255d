"""Names of architectures, without torch."""

GRID_NAMES = ("strip-grid", "strip-grid-single")
"""Grid models, keys of ``models.networks.grid.GRID_ARCHITECTURES``."""
IMAGE_BACKBONES = ("light", "mobilenet", "resnet18", "vgg16")
POINT_HEADS = ("points", "bounded-points", "heatmap", "fine-heatmap", "hourglass")


def is_point_architecture(name: str) -> bool:
    """Return whether a name is one of ``networks.points.network.POINT_ARCHITECTURES``."""
    head, _, backbone = name.rpartition("-")
    return head in POINT_HEADS and backbone in IMAGE_BACKBONES


def is_whole_image_architecture(name: str) -> bool:
    """Return whether a name is one of a multi-label or a single-object network."""
    head, _, backbone = name.rpartition("-")
    return head in ("multilabel", "single-object") and backbone in IMAGE_BACKBONES
