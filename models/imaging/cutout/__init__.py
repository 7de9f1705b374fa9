"""Finding the product, and cutting it out."""
