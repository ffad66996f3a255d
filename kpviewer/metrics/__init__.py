"""Arrays in, numbers out: how good detections and keypoints are."""
