"""Registers: engagements with their lines, projects, customers, legal entities, people, and the work that was told."""
