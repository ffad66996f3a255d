"""Speed of pipelines."""
