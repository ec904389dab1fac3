"""Runs the processes of the domain: what has happened leads to what happens next, each event exactly once."""
