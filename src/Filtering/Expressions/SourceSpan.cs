namespace GrayMQ.Filtering.Expressions;

/// <summary>Where a part of an expression stands in its text, in UTF-16 units.</summary>
public readonly record struct SourceSpan(int Start, int Length)
{
    /// <summary>Counted from 1, as people do.</summary>
    public int Column => Start + 1;

    public int End => Start + Length;

    /// <summary>From the beginning of this to the end of the other.</summary>
    public SourceSpan To(SourceSpan end) => new(Start, Math.Max(End, end.End) - Start);
}
