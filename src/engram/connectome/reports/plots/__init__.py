"""Plots of connectivity reports: what each of them shows, as a chart that a page and a picture are made from."""
