"""Jira Cloud: worklogs and issues, told by webhooks without promise of order."""
