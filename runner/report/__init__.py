"""What people and machines read: the same data as text, JSON, or annotations. Returns text, prints nothing."""
