"""Compare kpviewer's speed with what people use: the same network and video in each."""
