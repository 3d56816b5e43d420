"""What the scripts and notebooks of AniEmbed share. Nothing in here is run by itself."""
