"""`lssat doctor`: raw trees beside the official counts, before anything runs."""

from lssat.data.doctor.inspection import inspect, run, stand_in

__all__ = ["inspect", "run", "stand_in"]
