"""Opening of sources and models: menus, drops, cameras, and loading in the background."""
