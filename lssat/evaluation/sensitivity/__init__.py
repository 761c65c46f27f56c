"""Sensitivity of results to the margin of crops and the number of frames, run on request."""

from lssat.evaluation.sensitivity.compared import Files, sensitivity

__all__ = ["Files", "sensitivity"]
