"""MARKET: what a marketplace asks of a product picture, as files of rules, and whether a picture meets it."""
