"""How the world is reached: database, broker, other systems, servers, logs and settings."""
