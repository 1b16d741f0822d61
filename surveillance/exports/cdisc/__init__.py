"""CDISC: reads of a graft as SDTM datasets (TU, TR, RS), in Dataset-JSON, XPORT and Define-XML."""
