using System.CommandLine;

namespace GrayMQ.Cli.Tools;

/// <summary>What all commands that talk to running servers have in common: whom they ask, and how they say what they found.</summary>
internal sealed class ToolHost(CommandContext context)
{
    private readonly Option<string?> _nameServers = new("--namesrv", "-n")
    {
        Description = $"Name servers (default NAMESRV_ADDR of the environment, else {NameServerChoice.Default})",
        HelpName = "ADDR[;ADDR]",
        Recursive = true,
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print the result as a JSON document", Recursive = true };

    public CommandContext Context => context;

    /// <summary>A command that only holds others.</summary>
    public Command Group(string name, string description, params IEnumerable<Command> commands)
    {
        var group = new Command(name, description);
        group.Options.Add(_nameServers);
        group.Options.Add(_json);
        foreach (Command command in commands)
        {
            group.Subcommands.Add(command);
        }

        return group;
    }

    /// <summary>A command that belongs to no group.</summary>
    public Command Standalone(string name, string description)
    {
        var command = new Command(name, description);
        command.Options.Add(_nameServers);
        command.Options.Add(_json);
        return command;
    }

    /// <summary>Says what <paramref name="command"/> does; what goes wrong in it becomes a message and an exit code.</summary>
    public void OnRun(Command command, Func<ToolRun, CancellationToken, Task> body) =>
        command.SetAction(async (parsed, cancel) =>
        {
            NameServerChoice? chosen = null;
            try
            {
                chosen = NameServerChoice.Make(parsed.GetValue(_nameServers), context.Variables);
                await using var run = new ToolRun(context, parsed, chosen, parsed.GetValue(_json));
                await body(run, cancel).ConfigureAwait(false);
                return ExitCode.Success;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return ExitCode.Interrupted;
            }
            catch (Exception e) when (ToolFailure.TryExplain(e, chosen, out int exitCode, out string? message))
            {
                context.WriteError(message);
                return exitCode;
            }
        });
}
