"""Blockers: each file holds the reasons of one part of the closed list, as rules over the work and its context."""
