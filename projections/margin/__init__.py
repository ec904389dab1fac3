"""Margin: what work is worth, billed, recognised and cost; and the margin of the group, by the journal."""
