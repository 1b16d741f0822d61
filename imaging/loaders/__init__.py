"""Files to series: DICOM and NIfTI; every input file is accounted for."""
