"""Files in the formats people have, read into tables."""
