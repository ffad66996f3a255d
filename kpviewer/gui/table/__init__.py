"""The detections of the image as a table."""
