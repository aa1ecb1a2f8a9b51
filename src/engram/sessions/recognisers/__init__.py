"""The formats that are known: one module for each, each with its `RECOGNISER`."""
