"""The two threads of a run: they capture frames and run the model on them."""
