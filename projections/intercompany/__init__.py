"""Intercompany: what entities owe each other, and what they delivered and did not invoice yet."""
