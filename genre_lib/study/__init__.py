"""Recipes and baselines compared over splits and seeds. *Baselines*, *Evaluation*, chapter 12."""
