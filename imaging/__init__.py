"""MACHINE: series in, assessment out. No user interface, no database, no names of patients."""
