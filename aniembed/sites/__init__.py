"""What is fetched: the paced client, the APIs of MyAnimeList and AniList, journals and covers."""
