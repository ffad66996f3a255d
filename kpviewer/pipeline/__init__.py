"""The threads that carry frames from a source through a model, without any window."""
