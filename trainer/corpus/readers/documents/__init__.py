"""Prose in which questions and answers must be found: DOCX, PDF, Markdown, HTML, plain text."""
