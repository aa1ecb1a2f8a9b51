"""Connectivity reports: how much of a connectome is captured by the bodies that are traced."""
