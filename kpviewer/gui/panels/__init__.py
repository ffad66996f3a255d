"""Widgets around the image: bars, plots, and the tabs of the side panel."""
