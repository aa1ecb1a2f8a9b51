"""Make a lab, look at it, check it, keep it safe."""
