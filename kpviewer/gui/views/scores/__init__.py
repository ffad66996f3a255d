"""Section Score: errors, curves, classes, worst frames."""
