"""Exceptions: what failed, for whom, how much money waits for it, and who has to do what."""
