"""Settings that are remembered between runs. No widgets."""
