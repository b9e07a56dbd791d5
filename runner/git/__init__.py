"""git, called as a program: repositories, commits and pushes. It knows nothing of ledgers."""
