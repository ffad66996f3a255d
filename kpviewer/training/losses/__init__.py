"""Losses of each family of models, and the targets that they compare with."""
