"""Cases: assessed subjects as a reading station holds them, in versions named by content."""
