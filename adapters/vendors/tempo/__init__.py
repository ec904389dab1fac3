"""Tempo: worklogs by webhook and by query, and the approval of a person's period."""
