"""This installation: checks of what is there, and the system libraries that Qt needs."""
