using System.CommandLine;
using GrayMQ.Cli.Clusters;
using GrayMQ.Cli.Filters;
using GrayMQ.Cli.Gray;
using GrayMQ.Cli.Groups;
using GrayMQ.Cli.Lifecycle;
using GrayMQ.Cli.Messages;
using GrayMQ.Cli.Offsets;
using GrayMQ.Cli.Servers;
using GrayMQ.Cli.Timers;
using GrayMQ.Cli.Tools;
using GrayMQ.Cli.Topics;
using GrayMQ.Cli.Transactions;

namespace GrayMQ.Cli;

/// <summary>The <c>graymq</c> command: everything below it, and what all of it has in common.</summary>
internal static class GrayMQCommand
{
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CommandContext context, CancellationToken stop)
    {
        // A message's body may begin with @: it is no file of arguments.
        var parser = new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false };
        ParseResult parsed = Create(context).Parse(arguments, parser);
        var invocation = new InvocationConfiguration
        {
            Output = context.Output,
            Error = context.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        if (parsed.Errors.Count > 0)
        {
            return UsageError.Report(parsed, context);
        }

        return await parsed.InvokeAsync(invocation, stop).ConfigureAwait(false);
    }

    private static RootCommand Create(CommandContext context)
    {
        var root = new RootCommand(
            $"""
            GrayMQ, a message broker and name server that RocketMQ's clients connect to.

            {ExitCode.Description}
            """);
        root.Subcommands.Add(StandaloneCommand.Create(context));
        root.Subcommands.Add(NameServerCommand.Create(context));
        root.Subcommands.Add(BrokerCommand.Create(context));
        var tools = new ToolHost(context);
        root.Subcommands.Add(TopicCommands.Create(tools));
        root.Subcommands.Add(GroupCommands.Create(tools));
        root.Subcommands.Add(MessageCommands.Create(tools));
        root.Subcommands.Add(OffsetCommands.Create(tools));
        root.Subcommands.Add(TimerCommands.Create(tools));
        root.Subcommands.Add(TransactionCommands.Create(tools));
        root.Subcommands.Add(FilterCommands.Create(tools));
        root.Subcommands.Add(ClusterCommands.Create(tools));
        root.Subcommands.Add(DrainCommands.Drain(tools));
        root.Subcommands.Add(DrainCommands.Undrain(tools));
        root.Subcommands.Add(RollingRestartCommand.Create(tools));
        root.Subcommands.Add(GrayCommands.Create(tools));
        return root;
    }
}
