"""Serving: one process that answers GraphQL, services on NATS, documents, health and metrics."""
