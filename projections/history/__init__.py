"""History: what happened to an object, one sentence each, as it was at any time, and where a billed hour came from."""
