using System.CommandLine;
using System.Text;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Cli.Topics;
using GrayMQ.Filtering;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Extraction;
using GrayMQ.Filtering.Indexes;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Filters;

/// <summary><c>graymq filter explain</c></summary>
internal sealed class FilterExplainCommand
{
    // The topic's attribute that names the property to index by.
    private const string PropertyAttribute = "filter.index.property";

    private readonly Argument<string> _topic = TopicCommands.TopicArgument();
    private readonly Argument<string> _expression = FilterCommands.ExpressionArgument();
    private readonly Option<string> _type = FilterCommands.TypeOption();

    public static Command Create(ToolHost host)
    {
        var self = new FilterExplainCommand();
        var command = new Command("explain", "Show how a condition is understood, and what the index of a topic makes of it");
        command.Arguments.Add(self._topic);
        command.Arguments.Add(self._expression);
        command.Options.Add(self._type);
        host.OnRun(command, self.RunAsync);
        return command;
    }

    private async Task RunAsync(ToolRun run, CancellationToken cancel)
    {
        string type = run.Get(_type) ?? SubscriptionExpression.Sql92Type;
        FilterExpression expression = FilterCommands.Parse(type, run.Get(_expression));
        string topic = run.Get(_topic);
        IReadOnlyList<string> indexed = await IndexedPropertiesAsync(run, topic, cancel).ConfigureAwait(false);
        run.Write(
            new FilterExplanation(topic, type, expression.Text, ToNode(expression.Root), ToResult(expression, indexed)),
            ResultJson.Document.FilterExplanation,
            result => Print(result, run.Context));
    }

    private static async Task<IReadOnlyList<string>> IndexedPropertiesAsync(ToolRun run, string topic, CancellationToken cancel)
    {
        TopicRouteData route = await run.Cluster.RouteAsync(topic, cancel).ConfigureAwait(false);
        foreach (BrokerData broker in route.BrokerDatas)
        {
            if (broker.FindPreferredAddress() is { } address
                && (await run.Cluster.Admin.GetTopicsAsync(address, cancel).ConfigureAwait(false)).TryGetValue(topic, out TopicConfig? config)
                && config.Attributes.TryGetValue(PropertyAttribute, out string? property))
            {
                return [property];
            }
        }

        return new FilterIndexOptions().IndexedProperties;
    }

    private static FilterNode ToNode(Expression expression) => new(
        expression.Form,
        expression.Span.Start,
        expression.Span.End,
        [.. expression.Operands.Select(ToNode)]);

    private static FilterExtraction? ToResult(FilterExpression expression, IReadOnlyList<string> indexed)
    {
        PropertyExtraction? found = indexed
            .Where(property => expression.PropertyNames.Find(property) >= 0)
            .Select(property => PropertyExtraction.Of(expression.Root, property))
            .FirstOrDefault(extraction => extraction is not null);
        return found is null ? null : new FilterExtraction(
            found.Property,
            [.. found.Values.Select(value => new FilterResidual(Encoding.UTF8.GetString(value.Value), value.Residual.Form))],
            found.AnyOther.Form,
            found.Missing.Form);
    }

    private static void Print(FilterExplanation result, CommandContext context)
    {
        context.WriteLine("Tree");
        PrintNode(result.Tree, 1, context);
        context.WriteLine("");
        if (result.Extraction is not { } extraction)
        {
            context.WriteLine("It does not ask for the indexed property: the index finds it by its other conditions.");
            return;
        }

        context.WriteLine($"By {Printable.Line(extraction.Property)}");
        var grid = new Grid();
        grid.Column("WHERE IT IS").Column("IS LEFT");
        foreach (FilterResidual value in extraction.Values)
        {
            grid.Row($"'{value.Value}'", value.Residual);
        }

        grid.Row("any other", extraction.AnyOther);
        grid.Row("missing", extraction.Missing);
        grid.WriteTo(context);
    }

    private static void PrintNode(FilterNode node, int level, CommandContext context)
    {
        context.WriteLine(new string(' ', level * 2) + Printable.Line(node.Form));
        foreach (FilterNode operand in node.Operands)
        {
            PrintNode(operand, level + 1, context);
        }
    }
}
