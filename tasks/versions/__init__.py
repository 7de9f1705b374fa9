"""DVC: which versions of the catalogues there are; fetched, added, pinned."""
