"""Scan of a whole file in the background, and analysis of everything that was seen. No widgets."""
