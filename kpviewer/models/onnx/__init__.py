"""ONNX files of other programs: their layouts, descriptions and sessions."""
