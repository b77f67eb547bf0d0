"""The build: from locked files and this checkout to `dist/`, and what serves and tests it."""
