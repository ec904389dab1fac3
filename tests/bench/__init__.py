"""The benchmarks: the ledger against the stock library and against what PostgreSQL and NATS allow, side by side."""
