"""How good a network is, and how precise that figure is. Chapters 4 and *Evaluation*."""
