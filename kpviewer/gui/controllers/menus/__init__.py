"""Menus, filled each time they open."""
