"""Save: what is new in a work tree becomes durable, and is recorded."""
