"""Mathematics on photographs without trained weights: arrays in, arrays out."""
