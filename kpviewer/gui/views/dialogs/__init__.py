"""Table of the detections in the image."""
