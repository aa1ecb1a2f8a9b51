"""Find recording sessions on the lab's shares, and bring them into its catalogue."""
