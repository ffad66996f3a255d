"""Recordings and snapshots: their contents, their folder and their messages."""
