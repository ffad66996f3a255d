"""YOLO: a text file an image."""
