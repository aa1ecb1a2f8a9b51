"""Drop and remove: give up copies, once enough others are proven."""
