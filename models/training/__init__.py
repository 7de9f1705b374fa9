"""The one trainer of all gradient families."""
