"""The window, one widget per module. No other part uses Qt widgets."""
