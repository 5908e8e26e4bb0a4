"""Step 1 of the page: a section a file, composed in tab.py."""
