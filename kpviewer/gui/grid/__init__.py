"""Window of a grid of live streams that share one model: its session, views and controllers."""
