"""Sources and models on their way in: menus, drops, cameras, and the threads that load."""
