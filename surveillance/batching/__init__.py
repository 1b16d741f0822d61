"""Batches: thousands of subjects from folders or a manifest into one store of results."""
