"""Probes, and the subjects that they are implanted in."""
