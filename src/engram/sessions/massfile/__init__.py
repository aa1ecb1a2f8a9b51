"""Mass files: what a lab tells of many sessions at once, as YAML, JSON or a table; read strictly, and written."""
