"""The steps in their order, each skipped when an equal one was done."""
