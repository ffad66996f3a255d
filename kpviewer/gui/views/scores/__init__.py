"""Live evaluation of the model against the ground truth: errors, curves, worst frames."""
