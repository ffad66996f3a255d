"""Dialogs: each asks for one thing, or shows it."""
