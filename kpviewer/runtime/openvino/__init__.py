"""Graphs of files and of torch networks that OpenVINO runs, one image or several at a time."""
