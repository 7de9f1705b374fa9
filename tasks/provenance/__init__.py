"""What an image says of itself: how it was generated, or edited."""
