"""DICOM out: segmentation, structured report, key image and report of each assessed visit.

What is written, with every code, stands in docs/dicom_conformance.md.
"""
