"""Recordings and snapshots: what they consist of, where they go, what is told of them."""
