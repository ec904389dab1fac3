"""The ledger's own messages: every command of the domain as versioned JSON, for systems without a translator."""
