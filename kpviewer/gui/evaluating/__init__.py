"""The model against the ground truth: errors, curves and worst frames, live."""
