"""From images to masks: body, anterior wall, left and right rectus, graft."""
