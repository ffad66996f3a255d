"""Measurements of ``kpviewer bench``: pipeline, backends, streams that share a model, lanes."""
