"""PACS: series in from the hospital's archive and results back, by DIMSE and DICOMweb."""
