"""What a prediction is worth, whoever made it.  One file a kind of prediction; no keras."""
