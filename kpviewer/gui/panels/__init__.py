"""Widgets around the image: bars, transport, plots, and the tabs of the side panel."""
