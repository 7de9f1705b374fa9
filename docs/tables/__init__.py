"""The tables of the documents, written from the code: `python -m docs.tables`."""
