"""Step 3, a section a file: who answers, the talk, its settings, votes, lessons, what is kept."""
