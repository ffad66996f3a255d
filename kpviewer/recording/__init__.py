"""Videos, result files and snapshots of what the pipeline gives."""
