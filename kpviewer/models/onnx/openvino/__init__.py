"""Files in OpenVINO."""
