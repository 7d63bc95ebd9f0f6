"""Recipes and baselines over splits and seeds. Chapters *Baselines*, *Evaluation*, 8."""
