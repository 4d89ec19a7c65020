namespace GrayMQ.Chaos;

/// <summary>A run of <see cref="KillRun"/>.</summary>
internal sealed record KillOptions
{
    public required string Command { get; init; }

    public required string FlushDiskType { get; init; }

    public required int Rounds { get; init; }

    public required int Seed { get; init; }

    public string? StoreDirectory { get; init; }

    /// <summary>What the server is told, as <c>key=value</c>.</summary>
    public IReadOnlyList<string> ServerSettings => [$"flushDiskType={FlushDiskType}", "mappedFileSizeCommitLog=16777216"];

    public int Producers { get; init; } = 16;

    public int Queues { get; init; } = 4;

    /// <summary>The server is killed at a random moment up to so long after it is ready.</summary>
    public TimeSpan MaxLife { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The server has to serve again within this time.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(30);
}
