using System.Text;

namespace GrayMQ.Filtering.Expressions;

/// <summary>Something whose value is a text, or missing.</summary>
public abstract class TextExpression : Expression
{
    private protected TextExpression(SourceSpan span, params ReadOnlySpan<Expression> operands)
        : base(span, operands)
    {
    }
}

/// <summary>A message's property.</summary>
public sealed class PropertyText : TextExpression
{
    private readonly byte[] _utf8;

    public PropertyText(SourceSpan span, string name)
        : base(span)
    {
        Name = name;
        _utf8 = Encoding.UTF8.GetBytes(name);
        UsesProperties = true;
    }

    public string Name { get; }

    public ReadOnlySpan<byte> NameUtf8 => _utf8;

    public override IReadOnlyList<Expression> Operands => [];

    internal override void Write(StringBuilder form) => form.Append(Name);
}

/// <summary>A text written in the expression.</summary>
public sealed class LiteralText(SourceSpan span, byte[] utf8) : TextExpression(span)
{
    public LiteralText(SourceSpan span, string value)
        : this(span, Encoding.UTF8.GetBytes(value))
    {
    }

    /// <summary>Not to be changed.</summary>
    public byte[] Utf8 { get; } = utf8;

    public override IReadOnlyList<Expression> Operands => [];

    internal override void Write(StringBuilder form) => form.Append(Quote(Encoding.UTF8.GetString(Utf8)));

    internal static string Quote(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}

/// <summary>No text: <c>nil</c>.</summary>
public sealed class MissingText(SourceSpan span) : TextExpression(span)
{
    public override IReadOnlyList<Expression> Operands => [];

    // With something around it that no name has: SQL92 has properties called nil.
    internal override void Write(StringBuilder form) => form.Append("(nil)");
}

/// <summary>A part of a text, from one index up to another, in UTF-16 units as Java counts; missing where an index lies outside.</summary>
public sealed class SubstringText(SourceSpan span, TextExpression text, NumberExpression begin, NumberExpression? end)
    : TextExpression(span, end is null ? [text, begin] : [text, begin, end])
{
    public TextExpression Text { get; } = text;

    public NumberExpression Begin { get; } = begin;

    /// <summary>Null: up to the end.</summary>
    public NumberExpression? End { get; } = end;

    public override IReadOnlyList<Expression> Operands => End is null ? [Text, Begin] : [Text, Begin, End];

    internal override void Write(StringBuilder form)
    {
        Put(form, $"substring({Text}, {Begin}");
        if (End is not null)
        {
            Put(form, $", {End}");
        }

        form.Append(')');
    }
}

/// <summary>One text or another.</summary>
public sealed class ChosenText(SourceSpan span, TruthExpression condition, TextExpression then, TextExpression otherwise)
    : TextExpression(span, condition, then, otherwise)
{
    public TruthExpression Condition { get; } = condition;

    public TextExpression Then { get; } = then;

    public TextExpression Otherwise { get; } = otherwise;

    public override IReadOnlyList<Expression> Operands => [Condition, Then, Otherwise];

    internal override void Write(StringBuilder form) => Put(form, $"({Condition} ? {Then} : {Otherwise})");
}
