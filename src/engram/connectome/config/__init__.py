"""The configuration of a snapshot: flyem-snapshot's own YAML, read strictly, completed and explained."""
