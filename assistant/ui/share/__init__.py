"""Step 5, Share: a section a file; a link to the tuned bot, and files to take away."""
