"""Sends a plan, and finds out what became of its deliveries.

- `run` is the loop. `attempt_source` has what is next, `claims` makes it durable, `post` sends it, `stop` ends the run.
- `recipient_check` comes before it: each recipient becomes a contact, or is left out.
- `reconcile`, `online_status` and `manual_outcomes` come after it: what Intercom shows, and what a user decides.
"""
