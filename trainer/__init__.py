"""Corpora in; adapters and evaluations out. Runs without a screen and has never heard of one."""
