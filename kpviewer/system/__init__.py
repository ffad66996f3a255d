"""What the operating system and the processor give: threads, signals, locks, names of files."""
