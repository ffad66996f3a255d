"""Generated videos, with exact ground truth."""
