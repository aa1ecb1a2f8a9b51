"""The people of the lab."""
