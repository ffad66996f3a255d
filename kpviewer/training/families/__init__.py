"""Families of models: the data, targets and losses that each is trained with."""
