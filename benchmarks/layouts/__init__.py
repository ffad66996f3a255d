"""Compare kpviewer's reading of ONNX exports with that of their makers' own code."""
