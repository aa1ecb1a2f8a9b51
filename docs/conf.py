"""How `./dev docs` builds these pages."""

project = "engram"
copyright = "the engram developers"
extensions = ["myst_parser"]
exclude_patterns = ["decisions/template.md"]
html_theme = "furo"
html_title = "engram"
html_copy_source = False
myst_heading_anchors = 4
nitpicky = True
# What lies beside docs/ (README, CONTRIBUTING, source) is linked to, but not part of the built pages;
# tests/docs/test_pages.py checks that those links lead somewhere.
suppress_warnings = ["myst.xref_missing"]
