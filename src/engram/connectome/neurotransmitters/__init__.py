"""What synapses release: predictions of T-bars, and what follows from them for bodies and cell types."""
