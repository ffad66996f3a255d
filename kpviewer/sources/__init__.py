"""Sources of frames: cameras, screens, video files and streams, images, and the demos."""
