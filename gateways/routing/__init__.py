"""Which connection a message takes, and what becomes of a connection that fails."""
