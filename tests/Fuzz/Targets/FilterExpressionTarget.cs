using System.Text;
using GrayMQ.Filtering;
using GrayMQ.Filtering.Compilation;
using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Extraction;
using GrayMQ.Filtering.Indexes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Fuzz.Targets;

/// <summary>
/// A parser of filter expressions: what it takes says the same however it is evaluated, and keeps to the limits; what it refuses it
/// refuses with a column within the text.
/// </summary>
internal sealed class FilterExpressionTarget(string name, FilterLanguage language, string[] tokens, string[] seeds) : FuzzTarget
{
    private static readonly byte[][] Messages =
    [
        [],
        "MessageType\u0001A\u0002a\u00011\u0002b\u0001x\u0002c\u0001true\u0002"u8.ToArray(),
        "MessageType\u0001B\u0002a\u0001abc\u0002b\u00013.5\u0002"u8.ToArray(),
        "a\u0001-1\u0002b\u0001é😀\u0002MessageType\u0001\u0002c\u0001NaN"u8.ToArray(),
        [0xFF, 1, 0xC3, 2, (byte)'a', 1, 0x80, 0xFF, 2],
    ];

    public static FilterExpressionTarget Sql92 { get; } = new(
        "sql92-expression",
        FilterLanguage.Sql92,
        [
            " AND ", " OR ", "NOT ", " IS NULL", " IS NOT NULL", " IN ('A','B')", " BETWEEN 1 AND 2", " CONTAINS 'x'", " NOT STARTSWITH ''", "''", "'",
            "(", ")", "--", "/*", "*/", "\n", " = ", "<>", ">=", "-", "+", "1.5E3", "3000000000", "9223372036854775808", "TRUE", "NULL", "a", "MessageType", "é", ",",
        ],
        [
            "MessageType = 'A' AND a > 1", "a IS NOT NULL AND (b = 'x' OR NOT (c = TRUE))", "a BETWEEN 1 AND 2.5 OR b NOT IN ('x', 'it''s')",
            "a NOT CONTAINS 'b' AND b ENDSWITH 'c' -- end\n", "a = b AND -1 < a AND (a = 1) <> (b = 2)",
        ]);

    public static FilterExpressionTarget Header { get; } = new(
        "header-expression",
        FilterLanguage.Header,
        [
            " && ", " || ", "!", "==", "!=", "=~", "/a.*/", "/(a|b){2,3}/", "(", ")", "((((", "?", ":", "nil", "true", "1e3", "0.5", "'", "\"", "\\", "\\n", "string.length(", "substring(a, 1, 2)",
            "string.indexOf(a, 'b')", "%", "*", "/", "-", "+", ",", "a", "MessageType", "é", "{9}", "[", "]",
        ],
        [
            "MessageType == 'A' && a == 1", "a =~ /[a-c]+\\d{2}/ || string.contains(b, \"x\")", "(a > 1 ? b : 'y') != nil && !c",
            "string.length(a) + 1 < -b * 2 % 3", "string.substring(a, 0, string.indexOf(b, 'c')) == \"it's\"",
        ]);

    public override string Name => name;

    public override IReadOnlyList<byte[]> Tokens { get; } = [.. tokens.Select(Encoding.UTF8.GetBytes)];

    // A regular expression that is matched in linear time is large, and there may be 16. Specialising copies the tree for each value.
    public override long MaxAllocatedBytes(int inputBytes) => (64 * 1024 * 1024) + (50_000L * inputBytes);

    public override IEnumerable<byte[]> Seeds() => seeds.Select(Encoding.UTF8.GetBytes);

    public override bool Run(byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        FilterExpression expression;
        try
        {
            expression = FilterExpression.Parse(language, text);
        }
        catch (ExpressionSyntaxException e)
        {
            FindingException.Unless(
                e.Column >= 0 && e.Column <= text.Length + 1 && (e.Column > 0 || text.Length > FilterLimits.MaxLength),
                $"column {e.Column} is not in a text of {text.Length} characters: {e.Message}");
            return false;
        }

        FindingException.Unless(expression.Root.Depth <= FilterLimits.MaxDepth + 1, $"{expression.Root.Depth} levels");
        MessagePredicate closure = PredicateCompiler.CompileClosure(expression.Root, expression.PropertyNames);
        PropertyExtraction? extraction = PropertyExtraction.Of(expression.Root, "MessageType");
        FilterIndex index = FilterIndex.Create().With(3, expression);
        var answer = new MatchSet();
        foreach (byte[] message in Messages)
        {
            bool matches = TreeEvaluator.Matches(expression.Root, message);
            var reader = new PropertyReader(message, expression.PropertyNames, new PropertySlot[expression.PropertyNames.Count]);
            FindingException.Unless(closure(ref reader) == matches, "the closure does not agree with the tree");
            FindingException.Unless(
                extraction is null || TreeEvaluator.Matches(Residual(extraction, message), message) == matches,
                "the residual does not agree with the tree");
            index.Match(message, answer);
            FindingException.Unless(answer.Contains(3) == matches, "the index does not agree with the tree");
        }

        FindingException.Unless(index.Without(3).Count == 0, "the subscription cannot be taken out");
        return true;
    }

    private static TruthExpression Residual(PropertyExtraction extraction, byte[] message)
    {
        if (!PropertyBytes.TryFind(message, "MessageType"u8, out ReadOnlySpan<byte> value))
        {
            return extraction.Missing;
        }

        foreach (ValueResidual each in extraction.Values)
        {
            if (value.SequenceEqual(each.Value))
            {
                return each.Residual;
            }
        }

        return extraction.AnyOther;
    }
}
