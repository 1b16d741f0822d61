"""Findings: the three endpoints of one visit and the surveillance flag, each with its reasons."""
