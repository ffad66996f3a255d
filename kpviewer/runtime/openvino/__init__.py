"""Networks of torch that OpenVINO runs, one image or several at a time."""
