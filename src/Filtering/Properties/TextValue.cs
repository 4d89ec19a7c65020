namespace GrayMQ.Filtering.Properties;

/// <summary>A text that a message has, as UTF-8, or none.</summary>
public readonly ref struct TextValue
{
    public TextValue(ReadOnlySpan<byte> utf8)
    {
        Utf8 = utf8;
        IsPresent = true;
    }

    /// <summary>No such property, or <c>nil</c>.</summary>
    public static TextValue Missing => default;

    public ReadOnlySpan<byte> Utf8 { get; }

    public bool IsPresent { get; }
}
