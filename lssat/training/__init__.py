"""Training of a run: the loop and its recipe, batches, saved states and costs."""
