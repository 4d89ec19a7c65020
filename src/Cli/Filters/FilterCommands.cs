using System.CommandLine;
using GrayMQ.Cli.Tools;
using GrayMQ.Filtering;

namespace GrayMQ.Cli.Filters;

/// <summary><c>graymq filter …</c></summary>
internal static class FilterCommands
{
    public static Command Create(ToolHost host) => host.Group(
        "filter",
        "See what conditions on message properties mean, match and cost",
        FilterExplainCommand.Create(host),
        FilterTestCommand.Create(host),
        FilterStatsCommand.Create(host));

    public static Argument<string> ExpressionArgument() => new("EXPR") { Description = "The condition, as consumers subscribe by it" };

    public static Option<string> TypeOption()
    {
        var type = new Option<string>("--type")
        {
            Description = $"Its language: {SubscriptionExpression.Sql92Type} (default) or {SubscriptionExpression.HeaderType}",
            HelpName = "TYPE",
            DefaultValueFactory = _ => SubscriptionExpression.Sql92Type,
        };
        type.AcceptOnlyFromAmong(SubscriptionExpression.Sql92Type, SubscriptionExpression.HeaderType);
        return type;
    }

    /// <exception cref="CommandFailure">It cannot be understood; the message tells where and why.</exception>
    public static FilterExpression Parse(string? type, string text)
    {
        try
        {
            return FilterExpression.Parse(
                type == SubscriptionExpression.HeaderType ? FilterLanguage.Header : FilterLanguage.Sql92, text);
        }
        catch (ExpressionSyntaxException e)
        {
            throw CommandFailure.Usage($"EXPR: {e.Message}");
        }
    }
}
