"""Models: networks, anchors, matching, decoding, NMS, and their files.

This package uses no windows and no video.
"""
