"""What two answers state: quantities, negation, terms and names, and where they part."""
