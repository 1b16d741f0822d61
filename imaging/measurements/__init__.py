"""What is measured on one visit; the docstrings are the catalogue of measures."""
