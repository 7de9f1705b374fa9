"""Any folder of images, read as one table."""
