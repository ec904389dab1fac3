"""Workday: people with their costs, and legal entities, as rows of a report that is read again and again."""
