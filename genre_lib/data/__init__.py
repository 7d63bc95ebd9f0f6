"""From a file or a generator to a checked table, to a split, to tensors. Chapters 1 and 2."""
