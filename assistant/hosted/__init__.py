"""The chat-only app behind shared links."""
