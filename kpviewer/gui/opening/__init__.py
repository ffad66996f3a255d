"""Opening of sources and models: finding and loading them on threads. No widgets."""
