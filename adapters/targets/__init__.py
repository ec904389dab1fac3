"""Target systems: connectors that carry work to them and report what they answer, and simulated ones to run against."""
