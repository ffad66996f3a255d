"""Training data: annotated images, their augmentation, streams and batches."""
