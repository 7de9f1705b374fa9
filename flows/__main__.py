"""`python -m flows` is `packshot`."""

from flows.cli.app import main

main()
