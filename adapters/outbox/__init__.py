"""What leaves the ledger: messages made from events, recorded with them, and handed to the broker in their order."""
