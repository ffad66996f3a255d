"""Formats of annotations: a reader each, and their recognition."""
