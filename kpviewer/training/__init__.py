"""How models are made: data sets, augmentation, losses, one loop, recipes."""
