namespace GrayMQ.Filtering.Indexes;

/// <summary>Puts clauses into nodes and takes them out; each change makes new nodes on the path to it.</summary>
/// <param name="preferredSlots">Slots of the indexed properties: at the root, a clause is put behind these whatever else it asks for.</param>
internal readonly ref struct IndexChange(ReadOnlySpan<int> preferredSlots)
{
    /// <summary>Entries that a leaf has before it is divided.</summary>
    private const int LeafEntries = 6;

    private readonly ReadOnlySpan<int> _preferredSlots = preferredSlots;

    public IndexNode Add(IndexNode root, Condition[] clause, int[] ids) => AddToTables(root, clause, ids, isRoot: true);

    /// <returns>Null when the clause was not there.</returns>
    public IndexNode? Remove(IndexNode root, Condition[] clause, int id)
    {
        if (clause.Length == 0)
        {
            return RemoveId(root.Always, id) is { } rest ? root.Copy(root.Count - 1, always: rest) : null;
        }

        for (int i = 0; i < root.Entries.Length; i++)
        {
            if (root.Entries[i].HasConditions(clause) && RemoveId(root.Entries[i].Ids, id) is { } ids)
            {
                IndexEntry[] entries = ids.Length > 0
                    ? Replaced(root.Entries, i, root.Entries[i] with { Ids = ids })
                    : [.. root.Entries.AsSpan(0, i), .. root.Entries.AsSpan(i + 1)];
                return root.Copy(root.Count - 1, entries: entries);
            }
        }

        foreach (Placement placement in Placement.Of(clause))
        {
            if (TryRemove(root, placement, id) is { } changed)
            {
                return changed;
            }
        }

        return null;
    }

    private IndexNode AddBelow(IndexNode node, Condition[] clause, int[] ids)
    {
        if (!node.IsLeaf)
        {
            return AddToTables(node, clause, ids, isRoot: false);
        }

        if (clause.Length == 0 || node.Entries.Length < LeafEntries || node.Entries.Any(entry => entry.HasConditions(clause)))
        {
            return AddEntry(node, clause, ids);
        }

        IndexNode divided = node.Copy(node.Always.Length, entries: []);
        foreach (IndexEntry entry in node.Entries)
        {
            divided = AddToTables(divided, entry.Conditions, entry.Ids, isRoot: false);
        }

        return AddToTables(divided, clause, ids, isRoot: false);
    }

    private static IndexNode AddEntry(IndexNode node, Condition[] clause, int[] ids)
    {
        if (clause.Length == 0)
        {
            return node.Copy(node.Count + ids.Length, always: [.. node.Always, .. ids]);
        }

        int same = Array.FindIndex(node.Entries, entry => entry.HasConditions(clause));
        return node.Copy(
            node.Count + ids.Length,
            entries: same >= 0
                ? Replaced(node.Entries, same, node.Entries[same] with { Ids = [.. node.Entries[same].Ids, .. ids] })
                : [.. node.Entries, new IndexEntry(clause, ids)]);
    }

    private IndexNode AddToTables(IndexNode node, Condition[] clause, int[] ids, bool isRoot)
    {
        Placement? best = null;
        int fewest = int.MaxValue;
        foreach (Placement placement in Placement.Of(clause))
        {
            int shared = placement.CountIn(node);
            if (isRoot && placement.Access.Kind == AccessKind.Text && _preferredSlots.Contains(placement.Slot))
            {
                shared = -1;
            }

            if (shared < fewest)
            {
                (best, fewest) = (placement, shared);
            }
        }

        return best is { } place ? AddAt(node, place, ids) : AddEntry(node, clause, ids);
    }

    private IndexNode AddAt(IndexNode node, Placement at, int[] ids)
    {
        IndexNode changed = node;
        foreach (HashTrie.Leaf key in at.Keys())
        {
            IndexNode child = AddBelow(at.Find(node, key) ?? IndexNode.Empty, at.Rest(), ids);
            changed = at.Put(changed, key, child, node.Count + ids.Length);
        }

        return changed;
    }

    private IndexNode? TryRemove(IndexNode node, Placement at, int id)
    {
        IndexNode changed = node;
        foreach (HashTrie.Leaf key in at.Keys())
        {
            // A list is behind each of its texts, or behind none.
            if (at.Find(changed, key) is not { } child || Remove(child, at.Rest(), id) is not { } rest)
            {
                return null;
            }

            changed = at.Put(changed, key, rest, node.Count - 1);
        }

        return changed;
    }

    private static int[]? RemoveId(int[] ids, int id)
    {
        int at = Array.IndexOf(ids, id);
        return at < 0 ? null : [.. ids.AsSpan(0, at), .. ids.AsSpan(at + 1)];
    }

    private static T[] Replaced<T>(T[] array, int at, T value)
    {
        T[] copy = [.. array];
        copy[at] = value;
        return copy;
    }
}
