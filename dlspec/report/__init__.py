"""What a person sees: the terminal's tables and progress."""
