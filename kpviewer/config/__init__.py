"""What is remembered between runs: settings as values, their files and profiles, the cache."""
