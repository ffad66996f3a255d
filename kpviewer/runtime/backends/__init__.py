"""Backends: the runners of a detector, by library, device and precision."""
