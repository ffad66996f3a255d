"""What stands around the picture: bars, transport, plots, and the tabs of the side panel."""
