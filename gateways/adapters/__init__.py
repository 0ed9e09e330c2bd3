"""One folder per provider; reached only through gateways.registry."""
