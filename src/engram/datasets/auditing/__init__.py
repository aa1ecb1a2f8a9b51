"""Where contents are, whether they are whole, and which nobody uses."""
