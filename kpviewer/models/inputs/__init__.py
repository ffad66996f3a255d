"""An image as the input of a model."""
