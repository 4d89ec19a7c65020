using System.Collections;

namespace GrayMQ.Cli;

/// <summary>What a command sees of the process it runs in. Tests hand in their own.</summary>
internal sealed record CommandContext
{
    /// <summary>Results, and nothing else.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Errors, questions and log lines.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>What is piped in: a message's body, or the answer to a question.</summary>
    public required Stream Input { get; init; }

    /// <summary>Whether a person sits at both ends and can be asked.</summary>
    public required bool IsInteractive { get; init; }

    /// <summary>Whether results go to a terminal, where colours help.</summary>
    public required bool IsTerminal { get; init; }

    /// <summary>Columns that a table may take.</summary>
    public required int Width { get; init; }

    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Cancelled when a server that is leaving is to wait for nobody any more.</summary>
    public CancellationToken Hurry { get; init; }

    /// <summary>This process's own.</summary>
    public static CommandContext OfProcess() => new()
    {
        Output = Console.Out,
        Error = Console.Error,
        Input = Console.OpenStandardInput(),
        IsInteractive = !Console.IsInputRedirected && !Console.IsErrorRedirected,
        IsTerminal = !Console.IsOutputRedirected,
        Width = TerminalWidth(),
        Variables = Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal),
    };

    /// <summary>A line of the result, out at once: somebody may be waiting for it.</summary>
    public void WriteLine(string line)
    {
        Output.WriteLine(line);
        Output.Flush();
    }

    /// <summary>What went wrong, under the command's name as tools do.</summary>
    public void WriteError(string message)
    {
        Error.WriteLine($"graymq: {message}");
        Error.Flush();
    }

    // A file or a pipe has no width: rows stay whole there, for grep and awk.
    private static int TerminalWidth()
    {
        const int Unlimited = 10_000;
        const int Least = 40;
        try
        {
            return Console.IsOutputRedirected || Console.WindowWidth == 0 ? Unlimited : Math.Max(Console.WindowWidth, Least);
        }
        catch (IOException)
        {
            return Unlimited;
        }
    }
}
