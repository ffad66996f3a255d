"""Networks of torch: eager, and as graphs for OpenVINO, in fp32 and int8."""
