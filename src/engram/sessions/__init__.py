"""Recognise recording sessions on a share, plan what goes into the catalogue, and ingest it."""
