"""Models that predict keypoints, and two-stage detectors with one of them."""
