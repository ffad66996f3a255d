"""Tables with a row an object, a point or an image."""
