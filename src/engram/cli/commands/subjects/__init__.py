"""The subjects that the lab records from."""
