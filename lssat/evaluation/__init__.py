"""What trained runs are worth: logits, scores, slices, robustness, explanations."""
