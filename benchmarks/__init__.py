"""Timings, as ratios in one run; none of them is a test."""
