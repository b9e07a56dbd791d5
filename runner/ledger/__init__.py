"""What was sent: a set of facts about attempts, kept where it is hard to lose."""
