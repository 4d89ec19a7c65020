using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Tests.Sql92;

/// <summary>Holds SQL92 to what RocketMQ 5.3.3 answers, case by case; the table was made by running its filter classes.</summary>
public class RocketMqAnswersTests
{
    private const string Refused = "refused";

    // RocketMQ reads a complete expression and passes over what follows it. Here that is refused.
    private static readonly string[] Trailing =
    [
        "a LIKE '3%'", "a-b = 3", "a = 3 b", "a = 3 )", "a,b", "a = 3,", "a = 00", "a = 007", "a = 0L", "a = 1.5.5", "a = 1..5",
        "a = 1e", "a = 1e+", "a = 12abc", "a = 0x10",
        "a = 1f", "a = 1d", "a = 1.5d",
    ];

    [Fact]
    public void Evaluate_EachCase_SaysWhatRocketMqSays()
    {
        List<string> wrong = [];
        foreach (RocketMqCase each in RocketMqCase.ReadAll())
        {
            string answer = Answer(each);
            if (answer != each.Answer && !(answer == Refused && Trailing.Contains(each.Expression)))
            {
                wrong.Add($"{each}: {answer} instead of {each.Answer}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    [Fact]
    public void Parse_SomethingBehindTheExpression_IsRefusedThoughRocketMqTakesIt()
    {
        HashSet<string> taken = [.. RocketMqCase.ReadAll().Where(each => each.Answer != Refused).Select(each => each.Expression)];
        foreach (string expression in Trailing)
        {
            Assert.Contains(expression, taken);
            var mistake = Assert.Throws<ExpressionSyntaxException>(() => FilterExpression.Parse(FilterLanguage.Sql92, expression));
            Assert.Contains("expected an operator or the end", mistake.Message, StringComparison.Ordinal);
        }
    }

    private static string Answer(RocketMqCase each)
    {
        try
        {
            Outcome outcome = TreeEvaluator.Evaluate(FilterExpression.Parse(FilterLanguage.Sql92, each.Expression).Root, each.Message);
            return outcome.ToString().ToLowerInvariant();
        }
        catch (ExpressionSyntaxException)
        {
            return Refused;
        }
    }
}
