"""What is kept: annotated video and result files, each written in its own thread."""
