using System.Text;
using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Extraction;
using GrayMQ.Filtering.Properties;
using GrayMQ.Filtering.Tests.Generators;

namespace GrayMQ.Filtering.Tests.Extraction;

public class PropertyExtractionTests
{
    private const int Expressions = 2000;
    private const int MessagesEach = 20;

    [Theory]
    [InlineData(FilterLanguage.Sql92)]
    [InlineData(FilterLanguage.Header)]
    public void Of_RandomExpressions_ResidualOfTheValueSaysWhatTheExpressionSays(FilterLanguage language)
    {
        int extracted = 0;
        for (int seed = 0; seed < Expressions; seed++)
        {
            var random = new Random(seed);
            FilterExpression expression = FilterExpression.Parse(language, new ExpressionGenerator(random, language).Next());
            if (PropertyExtraction.Of(expression.Root, "MessageType") is not { } extraction)
            {
                continue;
            }

            extracted++;
            for (int i = 0; i < MessagesEach; i++)
            {
                byte[] message = ExpressionGenerator.Message(random);
                TruthExpression residual = ResidualFor(extraction, message);
                Assert.True(
                    TreeEvaluator.Matches(residual, message) == TreeEvaluator.Matches(expression.Root, message),
                    $"seed {seed}: {expression} became {residual} for {Encoding.UTF8.GetString(message)}");
            }
        }

        Assert.True(extracted > Expressions / 2);
    }

    [Theory]
    [InlineData("MessageType == 'A' && buyerId == 1", "A: (number(buyerId) == 1)", "false")]
    [InlineData(
        "(MessageType == 'A' && x == 1) || (MessageType == 'B' && y == 2)", "A: (number(x) == 1); B: (number(y) == 2)", "false")]
    [InlineData("MessageType != 'A'", "A: false", "true")]
    [InlineData("!(MessageType == 'A' || x == 1)", "A: false", "(number(x) != 1 [missing true] [no number true])")]
    [InlineData("MessageType == 'A' || x == 1", "A: true", "(number(x) == 1)")]
    [InlineData("MessageType == 'A'", "A: true", "false")]
    public void Of_Header_LeavesWhatTheValueDoesNotDecide(string text, string values, string anyOther) =>
        Check(FilterLanguage.Header, text, values, anyOther);

    [Theory]
    [InlineData("MessageType IN ('A', 'B') AND x = '1'", "A: (x == '1' [missing null]); B: (x == '1' [missing null])", "false")]
    [InlineData("MessageType <> 'A' AND x = '1'", "A: false", "(x == '1' [missing null])")]

    // What stands before the OR may fail, and then the message does not match, whatever its type is.
    [InlineData("x > 1 OR MessageType = 'A'", "A: ((int(x) > 1 [missing null] [no number error]) || true)", "(int(x) > 1 [missing null] [no number error])")]
    [InlineData("MessageType = 'A' OR x > 1", "A: true", "(int(x) > 1 [missing null] [no number error])")]
    public void Of_Sql92_KeepsWhatRocketMqWouldEvaluate(string text, string values, string anyOther) =>
        Check(FilterLanguage.Sql92, text, values, anyOther);

    [Fact]
    public void Of_AnotherProperty_IsNone() =>
        Assert.Null(PropertyExtraction.Of(FilterExpression.Parse(FilterLanguage.Header, "x == 1").Root, "MessageType"));

    private static void Check(FilterLanguage language, string text, string values, string anyOther)
    {
        PropertyExtraction extraction = PropertyExtraction.Of(FilterExpression.Parse(language, text).Root, "MessageType")!;

        Assert.Equal(values, string.Join("; ", extraction.Values.Select(value => $"{Encoding.UTF8.GetString(value.Value)}: {value.Residual}")));
        Assert.Equal(anyOther, extraction.AnyOther.Form);
    }

    private static TruthExpression ResidualFor(PropertyExtraction extraction, byte[] message)
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
