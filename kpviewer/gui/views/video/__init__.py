"""View of the frames with overlay, zoom, hover and selection, and the cards over it."""
