"""The commands of `graftsite`, one a file; each imports what it needs when it runs."""
