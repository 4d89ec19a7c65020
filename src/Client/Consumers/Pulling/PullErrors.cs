namespace GrayMQ.Client.Consumers.Pulling;

/// <summary>What is done about pulls that fail.</summary>
internal static class PullErrors
{
    /// <summary>The pause after a first failure; it doubles up to the options' pause.</summary>
    public static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
}
