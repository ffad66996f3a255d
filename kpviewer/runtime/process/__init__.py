"""The process: its threads, its memory, and its end."""
