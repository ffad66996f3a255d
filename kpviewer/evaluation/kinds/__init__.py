"""One module for each kind of model, with a ``KIND``; ``evaluator`` imports all of them."""
