"""YAML text → checked Recipe.  No keras, no numpy."""
