"""The dataset verbs as functions, with DataLad's names and arguments: one module per kind of verb."""
