"""The ground of every task: settings, files written whole, step records, code digests, parameters."""
