"""Video files, decoded by FFmpeg."""
