"""The reading application: pages draw, packages compute."""
