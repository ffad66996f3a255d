"""Processing of sources to files without a window: every frame of a source, and many sources."""
