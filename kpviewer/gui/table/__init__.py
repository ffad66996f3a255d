"""The detections of the picture as a table."""
