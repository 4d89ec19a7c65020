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
    public static IndexNode Empty { get; } = new();

    /// <summary>Subscriptions that match every message that gets here.</summary>
    public int[] Always { get; init; } = [];

    /// <summary>Clauses that are evaluated: the few of a leaf, or those that cannot be found in a table.</summary>
    public IndexEntry[] Entries { get; init; } = [];

    public TextTable[] Texts { get; init; } = [];

    public NumberTable[] Numbers { get; init; } = [];

    public RangeTable[] Ranges { get; init; } = [];

    /// <summary>Clauses here and below.</summary>
    public int Count { get; init; }

    public bool IsLeaf => Texts.Length == 0 && Numbers.Length == 0 && Ranges.Length == 0;

    public bool IsEmpty => Count == 0;

    public IndexNode Copy(
        int count,
        int[]? always = null,
        IndexEntry[]? entries = null,
        TextTable[]? texts = null,
        NumberTable[]? numbers = null,
        RangeTable[]? ranges = null) => new()
        {
            Count = count,
            Always = always ?? Always,
            Entries = entries ?? Entries,
            Texts = texts ?? Texts,
            Numbers = numbers ?? Numbers,
            Ranges = ranges ?? Ranges,
        };

    /// <summary>Adds the subscriptions that the message matches.</summary>
    public void Match(ref PropertyReader reader, MatchSet matches)
    {
        foreach (int id in Always)
        {
            matches.Add(id);
        }

        foreach (IndexEntry entry in Entries)
        {
            if (Holds(entry, ref reader, matches))
            {
                foreach (int id in entry.Ids)
                {
                    matches.Add(id);
                }
            }
        }

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

    private static bool Holds(IndexEntry entry, ref PropertyReader reader, MatchSet matches)
    {
        foreach (Compilation.MessagePredicate predicate in entry.Predicates)
        {
            matches.Evaluations++;
            if (!predicate(ref reader))
            {
                return false;
            }
        }

        return true;
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
