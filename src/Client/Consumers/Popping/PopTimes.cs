namespace GrayMQ.Client.Consumers.Popping;

/// <summary>Times that no setting changes.</summary>
internal static class PopTimes
{
    /// <summary>When messages come again that were received and not handed out.</summary>
    public static readonly TimeSpan HandedBack = TimeSpan.FromSeconds(1);

    /// <summary>For how long a broker is left alone at which as many requests wait as may.</summary>
    public static readonly TimeSpan FullPause = TimeSpan.FromSeconds(1);

    /// <summary>The pause after a first failure; it doubles up to the options' pause.</summary>
    public static readonly TimeSpan FirstErrorPause = TimeSpan.FromMilliseconds(100);
}
