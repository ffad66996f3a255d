"""What runs a model on a device: buffers, precision, the executor."""
