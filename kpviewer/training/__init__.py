"""Training of models: data sets, augmentation, losses, one loop, recipes."""
