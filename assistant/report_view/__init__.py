"""What a report looks like: pure functions from a report to HTML, for the page and for the file."""
