"""COCO: one JSON file with boxes and keypoints."""
