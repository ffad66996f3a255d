"""One model for several pipelines."""
