"""Acting on a plan: claim, POST, outcome; and what a person decides about deliveries."""
