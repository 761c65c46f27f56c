"""Training of a run: the loop and its recipe, batches, what is saved and measured on the way."""
