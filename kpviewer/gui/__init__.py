"""The window: one widget a module; the only place of Qt widgets."""
