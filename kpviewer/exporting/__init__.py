"""Export of models to other formats: one graph from pixels to decoded predictions."""
