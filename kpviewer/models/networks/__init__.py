"""Networks of torch by family, and what they share."""
