"""Settings that are remembered between runs."""
