"""How people and programs talk to the ledger: GraphQL, services, health, the command line."""
