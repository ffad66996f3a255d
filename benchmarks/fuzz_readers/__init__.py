"""Fuzzing: thousands of damaged files for every reader, each read or refused with a message."""
