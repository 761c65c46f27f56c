"""Evaluation of trained runs: logits, scores, slices, robustness, explanations."""
