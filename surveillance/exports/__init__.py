"""What leaves the program as files: the assessment record, masks, pictures, tables."""
