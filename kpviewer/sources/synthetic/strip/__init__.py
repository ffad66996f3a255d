"""Glowing steel strips."""
