"""Wires settings to working parts: one module per room, every public operation is one method here."""
