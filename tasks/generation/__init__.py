"""Images and textures, made and published."""
