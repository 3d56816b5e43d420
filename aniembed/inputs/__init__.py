"""What people hand in: titles, ratings files, pickles and exported lists."""
