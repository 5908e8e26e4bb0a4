"""The colours that mean something, on the page and in files: each has a shape of its own too."""

# Base and tuned keep one colour and one shape each, in every plot and column head.
BASE, TUNED, LOOKUP = "#c2610c", "#0d9488", "#8792a2"
INK = "#7b8794"  # readable on white and on near-black
