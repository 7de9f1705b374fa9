"""What was made from what, and the ledger of promotions."""
