"""Work beside the window: jobs on threads, and child processes."""
