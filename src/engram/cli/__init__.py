"""The command line: one file per command in `commands`; `render` is the only place that prints."""
