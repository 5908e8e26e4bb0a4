"""An uploaded file becomes a corpus: read, mapped, audited, split and kept. No framework."""
