"""One person's list: opinions, the query, filters and relations."""
