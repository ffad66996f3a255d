"""Cameras and screens of this machine."""
