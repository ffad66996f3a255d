"""Scores of detections, keypoints and label sets, as pure functions on arrays."""
