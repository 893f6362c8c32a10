"""Searching among recipes: spaces, samplers and studies, over Optuna."""
