"""ONLINE: the registered models, loaded and run without torch."""
