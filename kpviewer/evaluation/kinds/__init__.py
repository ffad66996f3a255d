"""One module for each kind of model, with a ``KIND``; ``evaluator`` imports them."""

OF_TORCH = ("multilabel", "points", "single_object")
"""Modules that import torch."""
