"""What is remembered from one time to the next."""
