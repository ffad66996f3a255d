"""Widgets around the image: bars, plots, and the sections of the side panel."""
