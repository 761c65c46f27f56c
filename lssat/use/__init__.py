"""What is done with results: predict, compare, verify, show."""
