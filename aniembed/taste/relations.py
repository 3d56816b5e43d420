"""Find prequels and franchises in the relations that the API gives."""

# Relation types within a franchise. alternative_setting, spin_off, character and other would join too many.
SAME_STORY = {
    'sequel',
    'prequel',
    'side_story',
    'parent_story',
    'summary',
    'full_story',
    'alternative_version',
}


def read_relations(node):
    """Return the `related_anime` of a node as a list of (MAL id, relation type); None if it has none.

    TypeError, KeyError or ValueError if it is not as the API gives it.
    """
    if node.get('related_anime') is None:
        return None
    return [(int(entry['node']['id']), str(entry['relation_type'])) for entry in node['related_anime']]


def prequels_of(relations):
    """Return the direct prequels of each title, as a dict MAL id -> sorted list of MAL ids.

    relations: dict MAL id -> result of read_relations(). Only titles in `relations` count. It is enough if
    one of two titles names the other.
    """
    found = {mal_id: set() for mal_id in relations}
    for mal_id, related in relations.items():
        for other, relation in related or ():
            if other in found and other != mal_id:
                if relation == 'prequel':
                    found[mal_id].add(other)
                elif relation == 'sequel':
                    found[other].add(mal_id)
    return {mal_id: sorted(prequels) for mal_id, prequels in found.items()}


def franchises_of(relations):
    """Return the franchise of each title, as a dict MAL id -> MAL id of the franchise's first title.

    The first title is the first one in `relations`. A title that is not in `relations` joins those that name
    it.
    """
    parent = {}

    def root(mal_id):
        while parent.setdefault(mal_id, mal_id) != mal_id:
            parent[mal_id] = parent[parent[mal_id]]
            mal_id = parent[mal_id]
        return mal_id

    for mal_id, related in relations.items():
        for other, relation in related or ():
            if relation in SAME_STORY:
                parent[root(other)] = root(mal_id)
    first = {}
    return {mal_id: first.setdefault(root(mal_id), mal_id) for mal_id in relations}
