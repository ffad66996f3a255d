"""What the threads of a run share: channels, settings, statistics and faults."""
