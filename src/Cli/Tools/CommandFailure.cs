namespace GrayMQ.Cli.Tools;

/// <summary>A command cannot go on; the message says why and the code is what it ends with.</summary>
internal sealed class CommandFailure : Exception
{
    public CommandFailure(int exitCode, string message)
        : base(message) => ExitCode = exitCode;

    public int ExitCode { get; } = Cli.ExitCode.Failure;

    public static CommandFailure NotFound(string message) => new(Cli.ExitCode.NotFound, message);

    public static CommandFailure Usage(string message) => new(Cli.ExitCode.Usage, message);

    /// <summary>The number that an option was given, unless that is too small.</summary>
    public static int RequireAtLeast(string option, int given, int least) =>
        given >= least ? given : throw Usage($"{option}: {given}: expected at least {least}");
}
