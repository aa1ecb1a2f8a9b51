"""Connectome snapshots: synapse tables and a configuration in; tables and a neuPrint database's files out."""
