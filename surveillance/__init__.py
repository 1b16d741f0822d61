"""Joins machine and human: the command line, reports and exports."""
