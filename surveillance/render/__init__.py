"""How reports look: one HTML that stands alone in one file, and the PDF made from it."""
