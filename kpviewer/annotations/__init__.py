"""Readers of annotation files: each turns one format into Targets. Nothing here knows of torch."""
