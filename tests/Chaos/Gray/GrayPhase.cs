namespace GrayMQ.Chaos.Gray;

/// <summary>A version of the service.</summary>
internal sealed record ServiceVersion(int Number, Shape Shape)
{
    public string Name => $"v{Number}";
}

/// <summary>How a release ends.</summary>
internal enum Ending
{
    /// <summary>Promoted by joining: both versions are one side then.</summary>
    Join,

    /// <summary>Promoted by replacing.</summary>
    Replace,

    Withdraw,
}

/// <summary>A stretch of time in which nothing was commanded, and in which it is known who is to consume what is sent.</summary>
/// <param name="Normal">The version in use.</param>
/// <param name="Gray">The version that is tried out; null for none.</param>
/// <param name="TopicsAreOn">Whether the gray topics are.</param>
internal sealed record GrayPhase(ServiceVersion Normal, ServiceVersion? Gray, bool TopicsAreOn)
{
    /// <summary>How the release ended, known when it did.</summary>
    public Ending Ending { get; set; }
}
