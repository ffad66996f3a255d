"""The models: networks, anchors, matching, decoding, NMS, and the files they live in.

Nothing here knows of threads, windows or video.
"""
