"""Darknet's models: `.cfg` and `.weights` files, read and written, and the network between them."""
