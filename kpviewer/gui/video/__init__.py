"""The image, what is painted over it, and how it is zoomed, pointed at and chosen from."""
