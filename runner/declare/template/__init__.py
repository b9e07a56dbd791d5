"""Templates: Jinja in a sandbox, for texts that customers read."""
