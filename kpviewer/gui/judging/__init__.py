"""The model against the truth: errors, curves and worst frames, live."""
