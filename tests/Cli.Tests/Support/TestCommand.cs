using System.Text;

namespace GrayMQ.Cli.Tests.Support;

/// <summary>Runs the command in this process.</summary>
internal static class TestCommand
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <summary>Runs it to its end.</summary>
    public static Task<CommandResult> RunAsync(params string[] arguments) => RunAsync(arguments, input: "");

    /// <param name="input">What is piped in, or typed.</param>
    /// <param name="isInteractive">Whether a person is there to be asked.</param>
    /// <param name="variables">The environment; empty unless given.</param>
    public static async Task<CommandResult> RunAsync(
        IReadOnlyList<string> arguments,
        string input,
        bool isInteractive = false,
        IReadOnlyDictionary<string, string>? variables = null)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        CommandContext context = Context(output, error) with
        {
            Input = new MemoryStream(Encoding.UTF8.GetBytes(input)),
            IsInteractive = isInteractive,
            Variables = variables ?? new Dictionary<string, string>(),
        };
        int exitCode = await GrayMQCommand.RunAsync(arguments, context, CancellationToken.None).WaitAsync(Timeout);
        return new CommandResult(exitCode, output.ToString(), error.ToString());
    }

    public static CommandContext Context(TextWriter output, TextWriter error) => new()
    {
        Output = output,
        Error = TextWriter.Synchronized(error),
        Input = Stream.Null,
        IsInteractive = false,
        IsTerminal = false,
        Width = 10_000,
        Variables = new Dictionary<string, string>(),
    };
}
