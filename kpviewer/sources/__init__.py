"""Where frames come from: cameras, video files and streams, images, and the demo."""
