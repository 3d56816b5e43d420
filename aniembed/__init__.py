"""What the scripts and notebooks share; nothing in it is run by itself.

settings.py     a script's globals: read once, NAME=value for one run, checks
files.py        files that are written whole or not at all, reading JSON and text, the error that ends a run
output.py       OUTPUT_DIR: what embeddings.py writes and the other scripts read
similarity.py   lists -> pair sums W -> target T; nearest titles
features.py     what titles are (genres, studios ...) in place of lists that they lack
machines.py     MXNet's parameter server
inputs/         what people hand in: titles, ratings files, pickles, exported lists
sites/          what is fetched: the paced client, MyAnimeList's and AniList's API, journals, covers
taste/          one person or several: opinions, the query, search by name, filters, relations
map/            layout, clusters and their names, land, names of titles, drawing, the page
"""
