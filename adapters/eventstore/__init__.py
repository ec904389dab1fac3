"""The event log: published events in PostgreSQL, written once, read by everyone, on the eventsourcing library."""
