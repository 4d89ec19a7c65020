namespace GrayMQ.Model;

/// <summary>A run of <see cref="ModelRun"/>.</summary>
internal sealed record ModelOptions
{
    public required string Command { get; init; }

    public required int Seed { get; init; }

    /// <summary>Requests; null goes by <see cref="Duration"/>.</summary>
    public int? Steps { get; init; }

    public TimeSpan? Duration { get; init; }

    public required string FlushDiskType { get; init; }

    public string? StoreDirectory { get; init; }

    /// <summary>The server ends, one way or the other, after so many steps on the average.</summary>
    public int StepsBetweenRestarts { get; init; } = 500;

    /// <summary>The server has to serve again within this time, on a machine that has little left for it as well.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>What is still to come has to come within this time when nothing more is asked for.</summary>
    public TimeSpan DrainLimit { get; init; } = TimeSpan.FromMinutes(3);
}
