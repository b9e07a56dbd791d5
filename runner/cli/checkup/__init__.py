"""What doctor looks at: this installation and the project, git, the ledger, and the workspace. It changes nothing."""
