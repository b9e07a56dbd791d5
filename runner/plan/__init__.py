"""What would be sent: every delivery with its action, guards that stop a run, and plans that were agreed to. Pure."""
