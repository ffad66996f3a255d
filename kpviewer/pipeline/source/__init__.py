"""A source as the pipeline reads it: opened, wound, paced, and its lost signal."""
