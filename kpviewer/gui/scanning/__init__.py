"""Scanning of a whole file in the background, and the analysis of everything that was seen."""
