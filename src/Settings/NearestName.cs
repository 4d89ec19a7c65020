namespace GrayMQ.Settings;

/// <summary>Finds what was probably meant by a name that nobody knows.</summary>
public static class NearestName
{
    /// <summary>Longer names are not compared; no key comes near, and the comparison costs length times length.</summary>
    private const int MaxNameLength = 128;

    /// <summary>A shorter beginning says too little about how a name goes on.</summary>
    private const int MinPrefixLength = 5;

    /// <summary>
    /// The candidate with the fewest edits, the earlier one of equals; null when nothing is similar, that is when more
    /// than a third of the letters (and more than two), or half of them, would have to change. Letter case counts for
    /// nothing; a name that stops short of a candidate counts as two edits.
    /// </summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        if (name.Length > MaxNameLength)
        {
            return null;
        }
        int best = Math.Min(Math.Max(2, name.Length / 3), (name.Length - 1) / 2) + 1;
        string? nearest = null;
        string lower = name.ToLowerInvariant();
        foreach (string candidate in candidates)
        {
            int distance = Distance(lower, candidate.ToLowerInvariant());
            if (name.Length >= MinPrefixLength && candidate.StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                distance = Math.Min(distance, 2);
            }
            if (distance < best)
            {
                best = distance;
                nearest = candidate;
            }
        }
        return nearest;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).</summary>
    internal static int Distance(string a, string b)
    {
        int[] beforeLast = new int[b.Length + 1];
        int[] last = [.. Enumerable.Range(0, b.Length + 1)];
        int[] row = new int[b.Length + 1];
        for (int i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(replaced, Math.Min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
                }
            }
            (beforeLast, last, row) = (last, row, beforeLast);
        }
        return last[b.Length];
    }
}
