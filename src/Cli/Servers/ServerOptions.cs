using System.CommandLine;
using GrayMQ.Hosting;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Cli.Servers;

/// <summary>The options that all server commands share.</summary>
internal sealed class ServerOptions
{
    private readonly Option<string?> _file;
    private readonly Option<string[]> _set;

    private readonly Option<bool> _print = new("--print-config", "-p")
    {
        Description = "Show every setting and where its value comes from, and exit",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print --print-config as JSON" };

    private readonly Option<LogLevel?> _level = new("--log-level")
    {
        Description = "What is logged on stderr: trace, debug, info (unless given), warn or error",
        HelpName = "LEVEL",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            switch (text.ToUpperInvariant())
            {
                case "TRACE":
                    return LogLevel.Trace;
                case "DEBUG":
                    return LogLevel.Debug;
                case "INFO" or "INFORMATION":
                    return LogLevel.Information;
                case "WARN" or "WARNING":
                    return LogLevel.Warning;
                case "ERROR":
                    return LogLevel.Error;
                default:
                    result.AddError($"--log-level: {text}: expected trace, debug, info, warn or error");
                    return null;
            }
        },
    };

    /// <param name="fileDescription">What the file of -c is.</param>
    /// <param name="setDescription">What --set sets.</param>
    public ServerOptions(
        string fileDescription, string setDescription = "One setting, before that of the file; may be given again")
    {
        _file = new Option<string?>("--config", "-c") { Description = fileDescription, HelpName = "FILE" };
        _set = new Option<string[]>("--set") { Description = setDescription, HelpName = "KEY=VALUE" };
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_file);
        command.Options.Add(_set);
        command.Options.Add(_print);
        command.Options.Add(_json);
        command.Options.Add(_level);
    }

    /// <summary>The file of -c; null when there is none.</summary>
    public string? File(ParseResult parsed) => parsed.GetValue(_file);

    /// <summary>Every <c>--set</c>.</summary>
    public IReadOnlyList<string> Assignments(ParseResult parsed) => parsed.GetValue(_set) ?? [];

    public bool PrintsSettings(ParseResult parsed) => parsed.GetValue(_print);

    public bool PrintsJson(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>Runs a server as these options say, until it is to stop.</summary>
    public Task<int> ServeAsync<TServer>(
        ParseResult parsed,
        CommandContext context,
        IEnumerable<SettingProblem> warnings,
        Func<ILoggerFactory, TServer> make,
        CancellationToken stop)
        where TServer : IServer
    {
        var run = new ServerRun
        {
            Name = "graymq",
            Output = context.Output,
            Error = context.Error,
            Level = parsed.GetValue(_level) ?? LogLevel.Information,
            Warnings = warnings,
            Time = context.Time,
            Hurry = context.Hurry,
        };
        return run.RunAsync(make, static server => server.ReadyLine, stop);
    }

    /// <summary>The environment, the file of -c and every --set.</summary>
    public SettingsSources Sources(ParseResult parsed, CommandContext context)
    {
        SettingsSources sources = new SettingsSources().Environment(context.Variables);
        if (File(parsed) is { } file)
        {
            sources.File(file);
        }

        foreach (string assignment in Assignments(parsed))
        {
            sources.Set(assignment);
        }

        return sources;
    }
}
