namespace GrayMQ.Cli;

/// <summary>How a command ended, for scripts. The numbers are part of the command's interface and never change their meaning.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>It was tried and did not work: a server refused, or could not start.</summary>
    public const int Failure = 1;

    /// <summary>The command line or a setting is wrong; nothing was tried.</summary>
    public const int Usage = 2;

    /// <summary>What was asked for does not exist.</summary>
    public const int NotFound = 3;

    /// <summary>No server answered.</summary>
    public const int Unreachable = 4;

    /// <summary>Ended by SIGINT before it was done: what shells expect.</summary>
    public const int Interrupted = 130;

    public const string Description = """
        Exit codes:
          0  done
          1  a server refused, or could not start
          2  wrong usage or a wrong setting
          3  not found
          4  no server answered
        """;
}
