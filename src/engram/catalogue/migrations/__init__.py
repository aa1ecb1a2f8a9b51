"""How a catalogue of each version becomes one of the next: numbered files, which never change once released."""
