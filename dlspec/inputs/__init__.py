"""What goes into the network, one file a kind: prepare, encode, augment, show."""
