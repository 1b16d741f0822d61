"""HUMAN: radiologist reads. Image files are loaded in `imaging.loaders`."""
