"""What a family is, and what families share."""
