"""Several processes that train together: who they are, what they sum, how many cores each has."""
