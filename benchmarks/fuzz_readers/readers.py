"""All readers by name. A new kind of file is a module with ``READERS``, and a line here."""

from benchmarks.fuzz_readers import annotations, darknet, onnx_files, scans, weights
from benchmarks.fuzz_readers.reader import Reader

READERS: dict[str, Reader] = {
    **weights.READERS,
    **darknet.READERS,
    **onnx_files.READERS,
    **annotations.READERS,
    **scans.READERS,
}
