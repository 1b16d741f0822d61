"""Validation: made cases with known truth, assessed by the program, and how well it did."""
