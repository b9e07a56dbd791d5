"""What a plan changes against a git ref, and the project as a commit has it."""
