using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>One of the places where a clause can be put in a node: behind one of its conditions, or behind all its ranges of one property.</summary>
internal readonly struct Placement
{
    private readonly Condition[] _clause;

    // Which condition; of ranges, all that are about the same number.
    private readonly int _at;

    private Placement(Condition[] clause, int at, Access access)
    {
        _clause = clause;
        _at = at;
        Access = access;
    }

    public Access Access { get; }

    public int Slot => _clause[_at].Slot;

    /// <summary>How many keys it is found under.</summary>
    public int KeyCount => Access.Kind == AccessKind.Text ? Access.Texts.Count : 1;

    /// <summary>Every place of a clause; ranges only where there is no value to go by.</summary>
    public static List<Placement> Of(Condition[] clause)
    {
        var places = new List<Placement>(clause.Length);
        for (int i = 0; i < clause.Length; i++)
        {
            if (clause[i].Access.Kind is AccessKind.Text or AccessKind.Number)
            {
                places.Add(new Placement(clause, i, clause[i].Access));
            }
        }

        for (int i = 0; places.Count == 0 && i < clause.Length; i++)
        {
            if (clause[i].Access.Kind == AccessKind.Range)
            {
                places.Add(new Placement(clause, i, CommonRange(clause, i)));
            }
        }

        return places;
    }

    /// <summary>What of the clause is left there.</summary>
    public Condition[] Rest()
    {
        if (Access.Kind != AccessKind.Range)
        {
            return [.. _clause.AsSpan(0, _at), .. _clause.AsSpan(_at + 1)];
        }

        Condition range = _clause[_at];
        return Array.FindAll(_clause, condition => !IsSameNumber(condition, range));
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
    public HashTrie.Leaf[] Keys()
    {
        if (Access.Kind != AccessKind.Text)
        {
            return [new HashTrie.Leaf(Utf8Hash.Of(Access.Low.High, Access.Low.Low), null, Access.Low, IndexNode.Empty)];
        }

        var keys = new HashTrie.Leaf[Access.Texts.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = new HashTrie.Leaf(Utf8Hash.Of(Access.Texts[i]), Access.Texts[i], default, IndexNode.Empty);
        }

        return keys;
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
                HashTrie texts = (text < 0 ? HashTrie.Empty : node.Texts[text].Trie).Put(key, child);
                return node.Copy(count, texts: Put(node.Texts, text, texts.IsEmpty ? null : new TextTable(Slot, texts)));
            case AccessKind.Number:
                int number = IndexOfNumber(node);
                HashTrie numbers = (number < 0 ? HashTrie.Empty : node.Numbers[number].Trie).Put(key, child);
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

    private static Access CommonRange(Condition[] clause, int first)
    {
        Access common = clause[first].Access;
        foreach (Condition condition in clause.AsSpan(first + 1))
        {
            common = IsSameNumber(condition, clause[first]) ? common.And(condition.Access) : common;
        }

        return common;
    }

    private static bool IsSameNumber(Condition condition, Condition range) =>
        condition.Access.Kind == AccessKind.Range
        && condition.Slot == range.Slot
        && condition.Access.Reading == range.Access.Reading;

    private int IndexOfText(IndexNode node)
    {
        for (int i = 0; i < node.Texts.Length; i++)
        {
            if (node.Texts[i].Slot == Slot)
            {
                return i;
            }
        }

        return -1;
    }

    private int IndexOfNumber(IndexNode node)
    {
        for (int i = 0; i < node.Numbers.Length; i++)
        {
            if (node.Numbers[i].Slot == Slot && node.Numbers[i].Reading == Access.Reading)
            {
                return i;
            }
        }

        return -1;
    }

    private int IndexOfRange(IndexNode node)
    {
        for (int i = 0; i < node.Ranges.Length; i++)
        {
            if (node.Ranges[i].Slot == Slot && node.Ranges[i].Reading == Access.Reading)
            {
                return i;
            }
        }

        return -1;
    }
}
