"""More songs than memory holds, several processes and hosts, stopping and going on. *Scaling*.

Nothing in the core imports from here: `fit` takes what this room makes as a strategy, a hook, or
songs that hand out batches.
"""

LOCAL = "local"
"""In place of a cluster's address: as many worker processes as this machine has cores."""
