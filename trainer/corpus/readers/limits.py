"""How much of a file is read; beyond that it is refused, whoever wrote it."""

MOST_BYTES = 50_000_000  # of one upload, and of all that an archive unpacks to
MOST_ROWS = 1_000_000
MOST_COLUMNS = 1_000
MOST_CELL = 1_000_000  # characters
MOST_DEPTH = 100  # of nesting
