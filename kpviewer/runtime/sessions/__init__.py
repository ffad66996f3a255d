"""Models in files, run by ONNX Runtime, OpenVINO or TensorRT."""
