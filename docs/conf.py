"""How `./dev docs` builds these pages."""

project = "engram"
copyright = "the engram developers"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "engram"
html_copy_source = False
myst_heading_anchors = 4
nitpicky = True
smartquotes = False  # --dry-run is not a dash
