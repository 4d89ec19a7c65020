using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>One of the places where a clause can be put in a node: behind one of its conditions, or behind all its ranges of one property.</summary>
internal sealed class Placement
{
    private Placement(Access access, int slot, Condition[] rest)
    {
        Access = access;
        Slot = slot;
        Rest = rest;
    }

    public Access Access { get; }

    public int Slot { get; }

    /// <summary>What of the clause is left there.</summary>
    public Condition[] Rest { get; }

    /// <summary>Every place of a clause; ranges only where there is no value to go by.</summary>
    public static List<Placement> Of(Condition[] clause)
    {
        var places = new List<Placement>(clause.Length);
        for (int i = 0; i < clause.Length; i++)
        {
            if (clause[i].Access.Kind is AccessKind.Text or AccessKind.Number)
            {
                places.Add(new Placement(clause[i].Access, clause[i].Slot, [.. clause.AsSpan(0, i), .. clause.AsSpan(i + 1)]));
            }
        }

        for (int i = 0; places.Count == 0 && i < clause.Length; i++)
        {
            if (clause[i].Access.Kind == AccessKind.Range)
            {
                places.Add(OfRanges(clause, clause[i]));
            }
        }

        return places;
    }

    /// <summary>How many clauses of the node are in this place already.</summary>
    public int CountIn(IndexNode node)
    {
        int count = 0;
        foreach (HashTrie.Leaf key in Keys())
        {
            count += Find(node, key)?.Count ?? 0;
        }

        return count;
    }

    /// <summary>The keys under which it is found; of a range one, which says nothing.</summary>
    public IEnumerable<HashTrie.Leaf> Keys()
    {
        if (Access.Kind != AccessKind.Text)
        {
            yield return new HashTrie.Leaf(Utf8Hash.Of(Access.Low.High, Access.Low.Low), null, Access.Low, IndexNode.Empty);
            yield break;
        }

        foreach (byte[] text in Access.Texts)
        {
            yield return new HashTrie.Leaf(Utf8Hash.Of(text), text, default, IndexNode.Empty);
        }
    }

    public IndexNode? Find(IndexNode node, HashTrie.Leaf key)
    {
        switch (Access.Kind)
        {
            case AccessKind.Text:
                int text = IndexOfText(node);
                return text < 0 ? null : node.Texts[text].Trie.Find(key.Hash, key.Text);
            case AccessKind.Number:
                int number = IndexOfNumber(node);
                return number < 0 ? null : node.Numbers[number].Trie.Find(key.Hash, key.Number);
            default:
                int range = IndexOfRange(node);
                return range < 0 ? null : IntervalTree.Find(node.Ranges[range].Tree, Access.Low, Access.High);
        }
    }

    /// <summary>The node with a child in this place, or without when the child is empty.</summary>
    public IndexNode Put(IndexNode node, HashTrie.Leaf key, IndexNode child, int count)
    {
        switch (Access.Kind)
        {
            case AccessKind.Text:
                int text = IndexOfText(node);
                HashTrie texts = Put(text < 0 ? HashTrie.Empty : node.Texts[text].Trie, key, child);
                return node.Copy(count, texts: Put(node.Texts, text, texts.IsEmpty ? null : new TextTable(Slot, texts)));
            case AccessKind.Number:
                int number = IndexOfNumber(node);
                HashTrie numbers = Put(number < 0 ? HashTrie.Empty : node.Numbers[number].Trie, key, child);
                return node.Copy(
                    count, numbers: Put(node.Numbers, number, numbers.IsEmpty ? null : new NumberTable(Slot, Access.Reading, numbers)));
            default:
                int range = IndexOfRange(node);
                IntervalTree? tree = range < 0 ? null : node.Ranges[range].Tree;
                tree = child.IsEmpty
                    ? IntervalTree.Without(tree, Access.Low, Access.High)
                    : IntervalTree.With(tree, Access.Low, Access.High, child);
                return node.Copy(count, ranges: Put(node.Ranges, range, tree is null ? null : new RangeTable(Slot, Access.Reading, tree)));
        }
    }

    private static HashTrie Put(HashTrie trie, HashTrie.Leaf key, IndexNode child) =>
        child.IsEmpty ? trie.Without(key) : trie.With(key with { Node = child });

    private static T[] Put<T>(T[] tables, int at, T? table)
        where T : class
    {
        if (at < 0)
        {
            return table is null ? tables : [.. tables, table];
        }

        if (table is null)
        {
            return [.. tables.AsSpan(0, at), .. tables.AsSpan(at + 1)];
        }

        T[] copy = [.. tables];
        copy[at] = table;
        return copy;
    }

    private static Placement OfRanges(Condition[] clause, Condition first)
    {
        Access common = first.Access;
        List<Condition> rest = [];
        foreach (Condition condition in clause)
        {
            bool same = condition.Access.Kind == AccessKind.Range
                && condition.Slot == first.Slot
                && condition.Access.Reading == first.Access.Reading;
            if (same)
            {
                common = common.And(condition.Access);
            }
            else
            {
                rest.Add(condition);
            }
        }

        return new Placement(common, first.Slot, [.. rest]);
    }

    private int IndexOfText(IndexNode node) => Array.FindIndex(node.Texts, table => table.Slot == Slot);

    private int IndexOfNumber(IndexNode node) =>
        Array.FindIndex(node.Numbers, table => table.Slot == Slot && table.Reading == Access.Reading);

    private int IndexOfRange(IndexNode node) =>
        Array.FindIndex(node.Ranges, table => table.Slot == Slot && table.Reading == Access.Reading);
}
