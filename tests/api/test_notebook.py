"""The Python interface in a notebook: a cell that ends with a result shows its image."""

import base64
import subprocess
import sys

import cv2
import nbformat
import numpy as np

CELL = """
import kpviewer as kp

model = kp.load("face-ssd", device="cpu", backend="openvino", precision="fp32")
for result in kp.stream("demo", model):
    print(result.frame.index, len(result.detections.xyxy))
    break
result
"""


def test_a_result_is_an_image_in_a_notebook(tmp_path):
    path = tmp_path / "demo.ipynb"
    cells = [nbformat.v4.new_code_cell(CELL)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    # in a process of its own, as Jupyter runs it: its client leaves sockets to the interpreter
    execute = "from nbclient.cli import main; main()"
    command = [sys.executable, "-c", execute, str(path), "--inplace", "--timeout=250"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    printed, shown = nbformat.read(path, as_version=4).cells[0].outputs
    index, faces = map(int, printed.text.split())
    assert index == 0 and faces >= 1
    png = base64.b64decode(shown.data["image/png"])
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (480, 640, 3)
