"""The sample firm in a running ledger: its messages, its finance department, and what the home remembers of it."""
