"""What was agreed to before it is sent: a plan file in git, or a saved plan. Pure: bytes in, values and guards out."""
