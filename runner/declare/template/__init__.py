"""Jinja templates, compiled and rendered in a sandbox, for the texts that customers read."""
