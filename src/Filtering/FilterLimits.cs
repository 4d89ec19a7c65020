namespace GrayMQ.Filtering;

/// <summary>What an expression on properties may be like; what lies beyond does not parse.</summary>
public static class FilterLimits
{
    /// <summary>UTF-16 units of an expression.</summary>
    public const int MaxLength = 32 * 1024;

    /// <summary>Levels of parentheses, NOTs and operators within one another. Chains of AND and OR are one level.</summary>
    public const int MaxDepth = 200;

    /// <summary>Regular expressions in one expression: each takes some hundred kilobytes.</summary>
    public const int MaxPatterns = 16;

    /// <summary>UTF-16 units of a regular expression.</summary>
    public const int MaxPatternLength = 512;

    /// <summary>Characters and classes of a regular expression, counted as often as <c>{n}</c> repeats them.</summary>
    public const int MaxPatternSize = 2048;

    /// <summary>
    /// What matching one text may take at most. Patterns are matched in a time that is proportional to the text, far below this; a
    /// short limit would let messages be missed on a machine that is busy with something else.
    /// </summary>
    public const int PatternTimeoutMs = 1000;
}
