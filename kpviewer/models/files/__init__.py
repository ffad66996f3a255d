"""Files of models by name, without torch."""
