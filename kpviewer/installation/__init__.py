"""Checks of this installation, and the system libraries that Qt requires."""
