"""Documents for customers: an invoice or credit note as a PDF and as EN 16931 UBL, made of what was issued alone."""
