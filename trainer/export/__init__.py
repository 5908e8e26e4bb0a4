"""A tuned model for other tools: each kind is one file, and each is asked again."""
