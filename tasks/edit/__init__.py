"""EDIT: operations on photographs of any size; one file an operation, one schema for command line, HTTP and flows."""
