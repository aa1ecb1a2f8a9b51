"""Scanning: walk a share, find its sessions by templates and their recordings by recognisers. Writes nothing on it."""
