"""What an image says about itself: how it was generated or edited."""
