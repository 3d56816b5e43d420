"""The picture: layout, names of titles and where they have room, land, drawing."""
