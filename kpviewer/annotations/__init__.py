"""Readers of annotation files: each turns one format into ground truth, without torch."""
