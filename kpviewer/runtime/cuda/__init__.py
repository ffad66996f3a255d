"""The path of an image on a GPU: copies beside computation, and all computation in one graph."""
