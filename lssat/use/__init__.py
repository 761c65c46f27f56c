"""Using the results: predict, compare, verify, show."""
