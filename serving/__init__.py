"""ONLINE: the registered models, loaded to make images."""
