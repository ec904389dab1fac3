"""GraphQL: one file per question, mutations made of the governed services, subscriptions on changes, and the limits."""
