"""Widgets around the image: bars, plots, the table, and the sections of the side panel."""
