using System.Text;

namespace GrayMQ.Filtering.Tags;

/// <summary>
/// A subscription by tags, compiled: <c>*</c> or nothing for every message, else <c>TagA || TagB</c>. Immutable; matching
/// allocates nothing. A consume-queue entry holds only a tag's hash, so matching by code lets messages of other tags pass whose
/// hash is the same; matching by text does not. RocketMQ: FilterAPI, ExpressionMessageFilter.
/// </summary>
public sealed class TagExpression
{
    /// <summary>The expression that takes every message.</summary>
    public const string SubscribeAll = "*";

    /// <summary>UTF-16 units of an expression.</summary>
    public const int MaxLength = 64 * 1024;

    private const string Separator = "||";

    // Up to here, comparing with every code at once (vectors) is faster than halving.
    private const int MaxScannedCodes = 64;

    private readonly int[] _codes;
    private readonly byte[][] _tagsUtf8;

    private TagExpression(string text, bool matchesAll, string[] tags)
    {
        Text = text;
        MatchesAll = matchesAll;
        Tags = tags;
        _codes = [.. tags.Select(JavaHash).Distinct().Order()];
        _tagsUtf8 = [.. tags.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>Takes every message, with or without a tag.</summary>
    public static TagExpression All { get; } = new(SubscribeAll, matchesAll: true, []);

    /// <summary>What was subscribed to; <c>*</c> when nothing was said.</summary>
    public string Text { get; }

    public bool MatchesAll { get; }

    /// <summary>The tags, each once, in the order in which they are named first; empty when <see cref="MatchesAll"/>.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>The tags' Java hash codes, ascending; empty when <see cref="MatchesAll"/>.</summary>
    public ReadOnlySpan<int> Codes => _codes;

    /// <summary>Reads an expression; spaces around tags do not count, and tags without a name are passed over.</summary>
    /// <exception cref="ExpressionSyntaxException">It is nothing but separators, or too long.</exception>
    public static TagExpression Parse(string? expression)
    {
        if (string.IsNullOrEmpty(expression) || expression == SubscribeAll)
        {
            return All;
        }

        if (expression.Length > MaxLength)
        {
            throw new ExpressionSyntaxException(
                $"the tag expression has {expression.Length} characters: {MaxLength} are the limit");
        }

        string[] parts = expression.Split(Separator);
        if (Array.TrueForAll(parts, part => part.Length == 0))
        {
            throw new ExpressionSyntaxException($"the tag expression '{expression}' names no tag");
        }

        string[] tags = [.. parts.Select(TrimAsJava).Where(tag => tag.Length > 0).Distinct(StringComparer.Ordinal)];
        return new TagExpression(expression, matchesAll: false, tags);
    }

    /// <summary>Whether a message may match, by the tags code of its consume-queue entry (0: no tag).</summary>
    public bool MatchesCode(long tagsCode)
    {
        if (MatchesAll)
        {
            return true;
        }

        // Of the entry's 8 bytes only the hash counts (RocketMQ: Long.intValue).
        int code = unchecked((int)tagsCode);
        return _codes.Length <= MaxScannedCodes
            ? _codes.AsSpan().Contains(code)
            : Array.BinarySearch(_codes, code) >= 0;
    }

    /// <summary>Whether a message matches, by its tag (UTF-8, empty: no tag).</summary>
    public bool MatchesTag(ReadOnlySpan<byte> utf8Tag)
    {
        if (MatchesAll)
        {
            return true;
        }

        foreach (byte[] tag in _tagsUtf8)
        {
            if (utf8Tag.SequenceEqual(tag))
            {
                return true;
            }
        }

        return false;
    }

    public override string ToString() => Text;

    // Java: String.hashCode.
    private static int JavaHash(string tag)
    {
        int hash = 0;
        foreach (char unit in tag)
        {
            hash = unchecked((31 * hash) + unit);
        }

        return hash;
    }

    // Java: String.trim takes away everything up to the space, and no other white space.
    private static string TrimAsJava(string part)
    {
        int start = 0;
        int end = part.Length;
        while (start < end && part[start] <= ' ')
        {
            start++;
        }

        while (end > start && part[end - 1] <= ' ')
        {
            end--;
        }

        return part[start..end];
    }
}
