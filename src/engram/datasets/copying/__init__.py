"""Clone and get: copies of datasets, and of contents, from wherever they can be had."""
