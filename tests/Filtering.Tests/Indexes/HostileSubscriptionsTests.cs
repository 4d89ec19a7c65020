using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Extraction;
using GrayMQ.Filtering.Indexes;

namespace GrayMQ.Filtering.Tests.Indexes;

/// <summary>Subscriptions as nobody should write them: what they cost is bounded, and what they are answered is right.</summary>
public class HostileSubscriptionsTests
{
    private const long Megabyte = 1024 * 1024;

    [Theory]
    [InlineData("MessageType == 'A' && x != {0}")]
    [InlineData("MessageType == 'A' && string.contains(x, '-{0}-')")]
    [InlineData("x != {0}")]
    [InlineData("p{0} != 1")]
    [InlineData("MessageType == 'A' && (y != 7 || {0} < 0)")]
    public void Build_ManyConditionsThatNoTableFinds_TakesMemoryForEachOnce(string format)
    {
        const int Count = 2000;
        FilterExpression[] expressions = [.. Enumerable.Range(0, Count).Select(number => Header(Written(format, number)))];

        (FilterIndex index, long allocated) = Measured(expressions);

        Assert.InRange(allocated, 0, 40 * Megabyte);
        CheckAnswers(index, expressions, "MessageType=A;x=7;y=7;p3=2");
        for (int number = 0; number < Count; number++)
        {
            index = index.Without(number);
        }

        Assert.True(index.Root.IsEmpty && index.Root.IsLeaf);
    }

    [Fact]
    public void Build_ListsWithinLists_AreNotMultiplied()
    {
        string texts = string.Join(", ", Enumerable.Range(0, 64).Select(number => $"'v{number}'"));
        FilterExpression[] expressions =
        [
            .. Enumerable.Range(0, 12).Select(number => Sql(
                $"MessageType IN ({texts}) AND a IN ({texts}) AND b IN ({texts}) AND c IN ({texts}) AND x CONTAINS '{number}'")),
        ];

        (FilterIndex index, long allocated) = Measured(expressions);

        Assert.InRange(allocated, 0, 40 * Megabyte);
        CheckAnswers(index, expressions, "MessageType=v3;a=v4;b=v63;c=v0;x=11");
        CheckAnswers(index, expressions, "MessageType=v3;a=v4;b=v64;c=v0;x=11");
    }

    // With priorities that are a sum of both ends, the search tree would be a list, and as deep.
    [Fact]
    public void Build_IntervalsThatHaveBothEndsInCommon_NeedsLittleStack()
    {
        const int Count = 5000;
        long inverse = 1;
        for (int i = 0; i < 6; i++)
        {
            inverse = unchecked(inverse * (2 - (31 * inverse)));
        }

        FilterExpression[] expressions =
        [
            .. Enumerable.Range(1, int.MaxValue)
                .Select(number => (Low: 1L + int.MaxValue + number, High: 0L))
                .Select(interval => interval with { High = unchecked((0x1234_5678_1234_5678 ^ interval.Low) * inverse) })
                .Where(interval => interval.High > interval.Low)
                .Take(Count)
                .Select(interval => Sql($"x BETWEEN {interval.Low} AND {interval.High}")),
        ];
        FilterIndex? index = null;

        var thread = new Thread(() => index = FilterIndex.Build(ById(expressions)), maxStackSize: 128 * 1024);
        thread.Start();
        thread.Join();

        CheckAnswers(index!, expressions, "x=2147490000");
    }

    [Fact]
    public void Build_DeepExpressionWithManyValues_DoesNotWriteEveryLevelOut()
    {
        string sum = string.Join(" + ", Enumerable.Range(0, 190).Select(number => $"(MessageType == 'T{number}' ? a : b)"));
        FilterExpression[] expressions = [Header($"({sum}) > 191")];

        (FilterIndex index, long allocated) = Measured(expressions);

        Assert.InRange(allocated, 0, 30 * Megabyte);
        CheckAnswers(index, expressions, "MessageType=T7;a=3;b=1");
        CheckAnswers(index, expressions, "MessageType=T7;a=2;b=1");
    }

    [Fact]
    public void Extraction_LargeExpressionWithManyValues_IsLeftAlone()
    {
        string types = string.Join(" OR ", Enumerable.Range(0, 250).Select(number => $"MessageType = 'T{number}'"));
        string others = string.Join(" OR ", Enumerable.Range(0, 1000).Select(number => $"(x = {number} AND y = 1)"));
        FilterExpression expression = Sql($"({types}) AND ({others})");

        Assert.Null(PropertyExtraction.Of(expression.Root, "MessageType"));
        CheckAnswers(FilterIndex.Build(ById([expression])), [expression], "MessageType=T9;x=999;y=1");
        Assert.NotNull(PropertyExtraction.Of(Sql(string.Join(
            " OR ", Enumerable.Range(0, 250).Select(number => $"(MessageType = 'T{number}' AND x = {number})"))).Root, "MessageType"));
    }

    // Conditions are the same when they are written out alike, so that what is written must not be able to look like something else.
    [Theory]
    [InlineData("SQL92", "MessageType = b", "SQL92", "nil = b")]
    [InlineData("HEADER", "a / 2 == b", "HEADER", "a / 2.0 == b")]
    [InlineData("SQL92", "a = b", "HEADER", "a == b")]
    [InlineData("SQL92", "a > 1", "HEADER", "a > 1")]
    public void Match_ConditionsThatLookAlike_EachSaysWhatItMeans(string firstLanguage, string first, string secondLanguage, string second)
    {
        FilterExpression[] expressions = [Parse(firstLanguage, first), Parse(secondLanguage, second)];
        string[] messages =
        [
            "nil=x", "a=x;b=y;c=1", "a=x;b=z;c=1", "a=5;b=2;nil=1", "a=5;b=2.5", "a=3000000000", "b=1", "a=2;b=1;c=1", "nil=x;b=x",
        ];
        foreach (FilterExpression[] order in (FilterExpression[][])[expressions, [.. expressions.Reverse()]])
        {
            FilterIndex index = FilterIndex.Build(ById(order));
            foreach (string message in messages)
            {
                CheckAnswers(index, order, message);
            }
        }
    }

    private static FilterExpression Parse(string language, string text) => language == "SQL92" ? Sql(text) : Header(text);

    private static FilterExpression Sql(string text) => FilterExpression.Parse(FilterLanguage.Sql92, text);

    private static FilterExpression Header(string text) => FilterExpression.Parse(FilterLanguage.Header, text);

    private static string Written(string format, int number) =>
        format.Replace("{0}", number.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static IEnumerable<KeyValuePair<int, FilterExpression>> ById(FilterExpression[] expressions) =>
        expressions.Select((expression, id) => KeyValuePair.Create(id, expression));

    private static (FilterIndex Index, long AllocatedBytes) Measured(FilterExpression[] expressions)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        FilterIndex index = FilterIndex.Build(ById(expressions));
        return (index, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void CheckAnswers(FilterIndex index, FilterExpression[] expressions, string properties)
    {
        byte[] message = Messages.Of(properties);
        var matches = new MatchSet();
        index.Match(message, matches);
        for (int id = 0; id < expressions.Length; id++)
        {
            Assert.True(
                matches.Contains(id) == TreeEvaluator.Matches(expressions[id].Root, message), $"{expressions[id]} on {properties}");
        }
    }
}
