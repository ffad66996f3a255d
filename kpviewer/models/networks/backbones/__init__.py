"""Backbones: a light one, and those that may start from weights of ImageNet."""
