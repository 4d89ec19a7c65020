using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// Clauses that have some conditions behind them already. A few are simply evaluated (a leaf); of more, each is put behind the condition
/// that the fewest share, into a table by the property that it is about, so that a message reaches those clauses only whose
/// condition holds; and there the same begins again with what is left of them. Immutable.
/// </summary>
internal sealed class IndexNode
{
    // What is asked of a message here, one number behind the other: how many of Always there are, and their ids; then of each entry how many
    // conditions and how many subscriptions it has, the numbers of the ones and the ids of the others. Made when the first message comes.
    private int[]? _asked;

    public static IndexNode Empty { get; } = new();

    /// <summary>Subscriptions that match every message that gets here.</summary>
    public int[] Always { get; init; } = [];

    /// <summary>Clauses that are evaluated: the few of a leaf.</summary>
    public IndexEntry[] Entries { get; init; } = [];

    /// <summary>
    /// Clauses that are evaluated because they cannot be found in a table: the entries of its nodes. There may be many, so that a change
    /// must not copy them all.
    /// </summary>
    public HashTrie Others { get; init; } = HashTrie.Empty;

    public TextTable[] Texts { get; init; } = [];

    public NumberTable[] Numbers { get; init; } = [];

    public RangeTable[] Ranges { get; init; } = [];

    /// <summary>Clauses here and below.</summary>
    public int Count { get; init; }

    /// <summary>Whether its clauses have not been divided among tables.</summary>
    public bool IsLeaf { get; private init; } = true;

    public bool IsEmpty => Count == 0;

    public IndexNode Copy(
        int count,
        int[]? always = null,
        IndexEntry[]? entries = null,
        TextTable[]? texts = null,
        NumberTable[]? numbers = null,
        RangeTable[]? ranges = null,
        HashTrie? others = null) => new()
        {
            Count = count,
            Always = always ?? Always,
            Entries = entries ?? Entries,
            Texts = texts ?? Texts,
            Numbers = numbers ?? Numbers,
            Ranges = ranges ?? Ranges,
            Others = others ?? Others,
            // The same is asked where only a table has changed: at the root, that is after most changes.
            _asked = always is null && entries is null && others is null ? _asked : null,
            IsLeaf = (texts ?? Texts).Length == 0 && (numbers ?? Numbers).Length == 0 && (ranges ?? Ranges).Length == 0
                && (others ?? Others).IsEmpty,
        };

    /// <summary>Adds the subscriptions that the message matches.</summary>
    public void Match(ref PropertyReader reader, MatchSet matches)
    {
        int[] asked = _asked ??= Write();
        int at = 1 + asked[0];
        foreach (int id in asked.AsSpan(1, asked[0]))
        {
            matches.Add(id);
        }

        while (at < asked.Length)
        {
            (int conditions, int ids) = (at + 2, at + 2 + asked[at]);
            at = ids + asked[at + 1];
            if (matches.Memo.Holds(asked.AsSpan(conditions, ids - conditions), ref reader))
            {
                foreach (int id in asked.AsSpan(ids, at - ids))
                {
                    matches.Add(id);
                }
            }
        }

        if (!IsLeaf)
        {
            LookUp(ref reader, matches);
        }
    }

    private void LookUp(ref PropertyReader reader, MatchSet matches)
    {
        foreach (TextTable table in Texts)
        {
            TextValue text = reader.Get(table.Slot);
            if (text.IsPresent)
            {
                matches.LookUps++;
                table.Trie.Find(Utf8Hash.Of(text.Utf8), text.Utf8)?.Match(ref reader, matches);
            }
        }

        foreach (NumberTable table in Numbers)
        {
            TextValue text = reader.Get(table.Slot);
            if (text.IsPresent && NumberReader.TryReadKey(table.Reading, text.Utf8, out NumberKey key))
            {
                matches.LookUps++;
                table.Trie.Find(Utf8Hash.Of(key.High, key.Low), key)?.Match(ref reader, matches);
            }
        }

        foreach (RangeTable table in Ranges)
        {
            TextValue text = reader.Get(table.Slot);
            if (text.IsPresent && NumberReader.TryReadKey(table.Reading, text.Utf8, out NumberKey key))
            {
                matches.LookUps++;
                MatchIntervals(table.Tree, key, ref reader, matches);
            }
        }
    }

    private int[] Write()
    {
        IndexEntry[] entries = [.. Entries, .. Others.Leaves.SelectMany(leaf => leaf.Node.Entries)];
        var asked = new int[1 + Always.Length + entries.Sum(entry => 2 + entry.Conditions.Length + entry.Ids.Length)];
        asked[0] = Always.Length;
        Always.CopyTo(asked, 1);
        int at = 1 + Always.Length;
        foreach (IndexEntry entry in entries)
        {
            asked[at++] = entry.Conditions.Length;
            asked[at++] = entry.Ids.Length;
            foreach (Condition condition in entry.Conditions)
            {
                asked[at++] = condition.Number;
            }

            entry.Ids.CopyTo(asked, at);
            at += entry.Ids.Length;
        }

        return asked;
    }

    private static void MatchIntervals(IntervalTree? tree, NumberKey key, ref PropertyReader reader, MatchSet matches)
    {
        while (tree is not null && tree.Highest >= key)
        {
            MatchIntervals(tree.Left, key, ref reader, matches);
            if (tree.Low > key)
            {
                return;
            }

            if (tree.High >= key)
            {
                tree.Node.Match(ref reader, matches);
            }

            tree = tree.Right;
        }
    }
}
