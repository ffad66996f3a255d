"""One module for each kind of model, with a ``KIND``; ``evaluator`` finds them by themselves."""
