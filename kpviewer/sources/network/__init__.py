"""Streams and videos at network addresses."""
