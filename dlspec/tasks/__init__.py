"""What is asked, one file a task over base.py: target, loss, decoding."""
