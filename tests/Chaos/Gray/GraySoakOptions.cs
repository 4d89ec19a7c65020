namespace GrayMQ.Chaos.Gray;

/// <summary>A run of <see cref="GraySoak"/>.</summary>
internal sealed record GraySoakOptions
{
    /// <summary>The graymq command.</summary>
    public required string Command { get; init; }

    public required int Seed { get; init; }

    /// <summary>No release is begun after so long; what has begun is ended.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Whether there are gray releases; else the same versions come and go as members of a plain group, which all subscribe alike.</summary>
    public bool IsGray { get; init; } = true;

    public bool Kills { get; init; } = true;

    /// <summary>Where data, what each server writes, and what the run wrote are kept; null for nowhere.</summary>
    public string? Folder { get; init; }
}
