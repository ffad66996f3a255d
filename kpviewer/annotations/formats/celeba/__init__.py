"""CelebA: faces with landmarks and attributes."""
