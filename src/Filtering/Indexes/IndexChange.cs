using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>Puts clauses into nodes and takes them out; each change makes new nodes on the path to it.</summary>
/// <param name="preferredSlots">Slots of the indexed properties: at the root, a clause is put behind these whatever else it asks for.</param>
internal readonly ref struct IndexChange(ReadOnlySpan<int> preferredSlots)
{
    /// <summary>Entries that a leaf has before it is divided.</summary>
    private const int LeafEntries = 6;

    /// <summary>
    /// Places that one subscription is put in at most: behind each text of a list there is one, and behind each of those one for each text
    /// of the next list.
    /// </summary>
    private const int MaxPlaces = 256;

    private readonly ReadOnlySpan<int> _preferredSlots = preferredSlots;

    public IndexNode Add(IndexNode root, IndexEntry entry) => AddToTables(root, entry, isRoot: true);

    /// <returns>Null when the clause was not there.</returns>
    public IndexNode? Remove(IndexNode root, Condition[] clause, int id)
    {
        if (clause.Length == 0)
        {
            return RemoveId(root.Always, id) is { } rest ? root.Copy(root.Count - 1, always: rest) : null;
        }

        if (RemoveEntry(root, clause, id) is { } left)
        {
            return left;
        }

        HashTrie.Leaf others = KeyOf(clause);
        if (root.Others.Find(others.Hash, others.Number) is { } alike && RemoveEntry(alike, clause, id) is { } fewer)
        {
            return root.Copy(root.Count - 1, others: root.Others.Put(others, fewer));
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

    private IndexNode AddBelow(IndexNode node, IndexEntry entry)
    {
        if (!node.IsLeaf)
        {
            return AddToTables(node, entry, isRoot: false);
        }

        if (entry.Conditions.Length == 0
            || node.Entries.Length < LeafEntries
            || node.Entries.Any(there => there.HasConditions(entry.Conditions)))
        {
            return AddEntry(node, entry);
        }

        IndexNode divided = node.Copy(node.Always.Length, entries: []);
        foreach (IndexEntry there in node.Entries)
        {
            divided = AddToTables(divided, there, isRoot: false);
        }

        return AddToTables(divided, entry, isRoot: false);
    }

    private static IndexNode AddEntry(IndexNode node, IndexEntry entry)
    {
        int count = node.Count + entry.Ids.Length;
        if (entry.Conditions.Length == 0)
        {
            return node.Copy(count, always: [.. node.Always, .. entry.Ids]);
        }

        int same = Array.FindIndex(node.Entries, there => there.HasConditions(entry.Conditions));
        return node.Copy(
            count, entries: same >= 0 ? Replaced(node.Entries, same, node.Entries[same].With(entry)) : [.. node.Entries, entry]);
    }

    private IndexNode AddToTables(IndexNode node, IndexEntry entry, bool isRoot)
    {
        Placement? best = null;
        int fewest = int.MaxValue;
        foreach (Placement placement in Placement.Of(entry.Conditions))
        {
            if (placement.KeyCount > 1 && (long)entry.Places * placement.KeyCount > MaxPlaces)
            {
                continue;
            }

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

        return best is { } place ? AddAt(node, place, entry)
            : entry.Conditions.Length == 0 ? AddEntry(node, entry)
            : AddToOthers(node, entry);
    }

    private static IndexNode AddToOthers(IndexNode node, IndexEntry entry)
    {
        HashTrie.Leaf key = KeyOf(entry.Conditions);
        IndexNode alike = AddEntry(node.Others.Find(key.Hash, key.Number) ?? IndexNode.Empty, entry);
        return node.Copy(node.Count + entry.Ids.Length, others: node.Others.Put(key, alike));
    }

    private IndexNode AddAt(IndexNode node, Placement at, IndexEntry entry)
    {
        IndexNode changed = node;
        var rest = new IndexEntry(at.Rest(), entry.Ids, entry.Places * at.KeyCount);
        foreach (HashTrie.Leaf key in at.Keys())
        {
            IndexNode child = AddBelow(at.Find(node, key) ?? IndexNode.Empty, rest);
            changed = at.Put(changed, key, child, node.Count + entry.Ids.Length);
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

    private static IndexNode? RemoveEntry(IndexNode node, Condition[] clause, int id)
    {
        int at = Array.FindIndex(node.Entries, entry => entry.HasConditions(clause));
        if (at < 0 || RemoveId(node.Entries[at].Ids, id) is not { } ids)
        {
            return null;
        }

        IndexEntry[] entries = ids.Length > 0
            ? Replaced(node.Entries, at, node.Entries[at] with { Ids = ids })
            : [.. node.Entries.AsSpan(0, at), .. node.Entries.AsSpan(at + 1)];
        return node.Copy(node.Count - 1, entries: entries);
    }

    // Of clauses that cannot be found: by what they consist of.
    private static HashTrie.Leaf KeyOf(Condition[] clause)
    {
        long mixed = 0;
        foreach (Condition condition in clause)
        {
            mixed = Utf8Hash.Of(mixed, condition.Number);
        }

        return new HashTrie.Leaf(Utf8Hash.Of(mixed, 0), null, NumberKey.OfWhole(mixed), IndexNode.Empty);
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
