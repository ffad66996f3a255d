"""Inference on a device: executor, runners, precision, frame buffers."""
