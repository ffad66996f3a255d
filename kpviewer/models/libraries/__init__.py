"""The libraries that run models: OpenVINO, ONNX Runtime, TensorRT, torch."""
