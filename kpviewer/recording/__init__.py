"""Videos, result files and snapshots of the pipeline's results."""
