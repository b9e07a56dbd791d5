"""How a mail program displays a body: its elements as a browser reads them, and whether a reader sees their texts."""
