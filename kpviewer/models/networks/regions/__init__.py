"""Region-based detectors: proposals, what is cut out for each, and what reads it."""
