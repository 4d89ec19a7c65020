namespace GrayMQ.Hosting;

/// <summary>Says in one message why a server did not start.</summary>
internal static class StartFailure
{
    /// <summary>Exceptions that servers throw to say what is wrong; their messages are made for people.</summary>
    public static string Describe(Exception failure)
    {
        Exception e = failure is AggregateException { InnerExceptions: [var only] } ? only : failure;
        return IsExpected(e)
            ? e.Message
            : $"{e.GetType().Name}: {e.Message} (this should not happen; the log shows where it did at level debug)";
    }

    private static bool IsExpected(Exception e) => e
        is IOException
        or InvalidDataException
        or ArgumentException
        or UnauthorizedAccessException
        or DllNotFoundException
        or GrayMQ.Settings.SettingsException
        or System.Security.Cryptography.CryptographicException
        or System.Net.Sockets.SocketException;
}
