"""Step 2, a section a file: settings, queue, a run while it learns and after, ablation."""
