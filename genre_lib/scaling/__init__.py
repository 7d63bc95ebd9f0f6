"""Songs that don't fit in memory, several processes and hosts, stopping and resuming. *Scaling*.

The core imports nothing from here: `fit` accepts objects of this package as its strategy, as hooks
or as songs.
"""

LOCAL = "local"
"""In place of a cluster's address: one worker process per core of this machine."""
