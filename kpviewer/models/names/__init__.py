"""Names of models, classes, keypoints and tensors. Light to import."""
