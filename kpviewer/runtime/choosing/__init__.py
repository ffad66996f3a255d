"""Choice of the backend that runs a model: measured once, then remembered."""
