"""From a file or a generator to a checked table, a split, and tensors. Chapters 1 and 3."""
