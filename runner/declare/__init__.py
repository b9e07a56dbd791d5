"""What people write: YAML files, templates and audiences, read into values that are known to be valid."""
