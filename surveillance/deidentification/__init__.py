"""De-identification by PS3.15 annex E: images leave the hospital and can still be measured."""
