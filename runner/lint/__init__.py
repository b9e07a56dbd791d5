"""What is valid and still wrong for the people who get it: named rules about the text, its HTML and its settings."""
