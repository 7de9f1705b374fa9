"""Learning the product's outline from composites of our own."""
