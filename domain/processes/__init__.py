"""Processes: events in, commands out, so that one fact leads to the next without anyone asking."""
