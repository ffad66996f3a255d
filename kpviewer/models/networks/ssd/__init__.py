"""Single-shot detectors with anchors: light-ssd, face-ssd and SSD300."""
