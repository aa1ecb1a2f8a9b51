"""Build connectome snapshots, and look at them."""
