"""Whether ledger and registry hold, and what mends them."""
