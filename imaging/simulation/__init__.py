"""Synthetic subjects with known truth: anatomy, MR physics, scanner, DICOM."""
