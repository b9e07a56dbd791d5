"""Delivery of a plan: claim, POST and outcome of each delivery, and the decisions of a user about deliveries."""
