"""One image with one box, in any format and layout: (100, 60) to (300, 180) of 400 x 300 px."""

import json
from pathlib import Path

from PIL import Image

BOX = [100.0, 60.0, 300.0, 180.0]
LABEL = "0 0.5 0.4 0.5 0.4\n"
NAMES = "names: [cat]\n"
XML = (
    "<annotation><filename>a.jpg</filename><size><width>400</width><height>300</height></size>"
    "<object><name>cat</name><bndbox><xmin>100</xmin><ymin>60</ymin><xmax>300</xmax>"
    "<ymax>180</ymax></bndbox></object></annotation>"
)


def coco(name="a.jpg", **changes):
    """Return a COCO file as text; ``changes`` replace whole sections."""
    value = {
        "images": [{"id": 1, "file_name": name, "width": 400, "height": 300}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [100, 60, 200, 120]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    return json.dumps(value | changes)


def laid_out(root: Path, files: dict[str, str | bytes | None]) -> None:
    """Write files by their paths; None makes an image, and a text may hold {root}."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            Image.new("RGB", (400, 300)).save(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content.replace("{root}", str(root)), "utf-8")
