"""Robustness of a task's runs: the headline metric on perturbed test crops."""

from lssat.evaluation.robustness.points import Files, robustness

__all__ = ["Files", "robustness"]
