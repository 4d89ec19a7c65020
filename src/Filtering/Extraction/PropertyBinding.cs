using GrayMQ.Filtering.Expressions;

namespace GrayMQ.Filtering.Extraction;

/// <summary>What is known of one property before there is a message: its value, that it is missing, or that it is none of some values.</summary>
internal sealed class PropertyBinding
{
    private readonly IReadOnlySet<byte[]>? _excluded;

    private PropertyBinding(string? property, TextExpression? value, IReadOnlySet<byte[]>? excluded = null)
    {
        Property = property;
        Value = value;
        _excluded = excluded;
    }

    /// <summary>Nothing is known.</summary>
    public static PropertyBinding None { get; } = new(null, null);

    public string? Property { get; }

    /// <summary>A literal or missing; null when it is only known what the value is not.</summary>
    public TextExpression? Value { get; }

    public static PropertyBinding To(string property, byte[] value) => new(property, new LiteralText(default, value));

    public static PropertyBinding ToMissing(string property) => new(property, new MissingText(default));

    /// <summary>It is there, and is none of these texts.</summary>
    public static PropertyBinding ToAnyOther(string property, IReadOnlySet<byte[]> excluded) => new(property, null, excluded);

    /// <summary>Whether the text is the property, of which no more is known than that it is there and what it is not.</summary>
    public bool IsAnyOther(TextExpression text) => _excluded is not null && Is(text);

    /// <summary>Whether the text is a literal that the property is not.</summary>
    public bool Excludes(TextExpression text) => text is LiteralText literal && Excludes(literal.Utf8);

    public bool Excludes(byte[] utf8) => _excluded?.Contains(utf8) == true;

    public bool Is(TextExpression text) => text is PropertyText property && property.Name == Property;
}
