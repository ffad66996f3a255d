"""Work on the results of a frame: comparison, tracking, other thresholds."""
