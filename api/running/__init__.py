"""Running: how the parts of the ledger are started, watched, restarted and shown on one machine."""
