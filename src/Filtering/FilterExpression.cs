using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Header;
using GrayMQ.Filtering.Sql92;

namespace GrayMQ.Filtering;

/// <summary>A condition on message properties, parsed. Immutable.</summary>
public sealed class FilterExpression
{
    private FilterExpression(FilterLanguage language, string text, TruthExpression root)
    {
        Language = language;
        Text = text;
        Root = root;
    }

    public FilterLanguage Language { get; }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    public TruthExpression Root { get; }

    /// <exception cref="ExpressionSyntaxException">It cannot be understood, or exceeds <see cref="FilterLimits"/>.</exception>
    public static FilterExpression Parse(FilterLanguage language, string text)
    {
        if (text.Length > FilterLimits.MaxLength)
        {
            throw new ExpressionSyntaxException(
                $"the expression has {text.Length} characters: {FilterLimits.MaxLength} are the limit");
        }

        return new FilterExpression(
            language, text, language == FilterLanguage.Sql92 ? Sql92Parser.Parse(text) : HeaderParser.Parse(text));
    }

    public override string ToString() => Text;
}
