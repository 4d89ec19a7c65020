using GrayMQ.Filtering.Expressions;

namespace GrayMQ.Filtering.Header;

/// <summary>
/// The functions of HEADER: <c>string.contains, string.startsWith, string.endsWith, string.length, string.indexOf, string.substring</c>,
/// also without the <c>string.</c> Indexes and lengths are those of Java (UTF-16).
/// </summary>
internal static class HeaderFunctions
{
    private const string Names = "contains, startsWith, endsWith, length, indexOf or substring";

    /// <param name="function">Without <c>string.</c></param>
    /// <exception cref="ExpressionSyntaxException">There is no such function, or it takes other arguments.</exception>
    public static HeaderOperand Call(string function, SourceSpan span, List<HeaderOperand> arguments)
    {
        switch (function)
        {
            case "contains":
                return Search(TextSearchKind.Contains, function, span, arguments);
            case "startsWith":
                return Search(TextSearchKind.StartsWith, function, span, arguments);
            case "endsWith":
                return Search(TextSearchKind.EndsWith, function, span, arguments);
            case "length":
                CheckCount(function, span, arguments, 1, 1);
                return HeaderOperand.Of(new LengthNumber(span, HeaderOperators.Text(arguments[0])));
            case "indexOf":
                CheckCount(function, span, arguments, 2, 2);
                return HeaderOperand.Of(
                    new IndexOfNumber(span, HeaderOperators.Text(arguments[0]), HeaderOperators.Text(arguments[1])));
            case "substring":
                CheckCount(function, span, arguments, 2, 3);
                return HeaderOperand.Of(new SubstringText(
                    span,
                    HeaderOperators.Text(arguments[0]),
                    HeaderOperators.Number(arguments[1]),
                    arguments.Count == 3 ? HeaderOperators.Number(arguments[2]) : null));
            default:
                throw new ExpressionSyntaxException(span.Column, $"expected {Names}, found '{function}'");
        }
    }

    private static HeaderOperand Search(TextSearchKind kind, string function, SourceSpan span, List<HeaderOperand> arguments)
    {
        CheckCount(function, span, arguments, 2, 2);
        return HeaderOperand.Of(new TextSearch(
            span, kind, HeaderOperators.Text(arguments[0]), HeaderOperators.Text(arguments[1]), isNegated: false));
    }

    private static void CheckCount(string function, SourceSpan span, List<HeaderOperand> arguments, int least, int most)
    {
        if (arguments.Count < least || arguments.Count > most)
        {
            string count = least == most ? $"{least}" : $"{least} or {most}";
            throw new ExpressionSyntaxException(span.Column, $"expected {count} arguments of {function}, found {arguments.Count}");
        }
    }
}
