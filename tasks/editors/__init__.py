"""EDITORS: how a trained editing network is judged on held-out images, held against the champion, and registered."""
