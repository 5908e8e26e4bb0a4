"""What people touch: the command line, the page, and the models behind the chat."""
