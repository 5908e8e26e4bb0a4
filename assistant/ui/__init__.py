"""The page: a tab a file, composed in app.py."""
