using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>
/// Asks a name server for the gray state: GET_GRAY_STATE (30100), which RocketMQ does not have. The body of the answer is the
/// snapshot as <c>GrayMQ.Gray</c> writes it, if it is another than the one that the caller has.
/// </summary>
public sealed record GetGrayStateHeader : ICommandHeader<GetGrayStateHeader>
{
    /// <summary>Version of a caller that has no snapshot.</summary>
    public const long NoVersion = -1;

    /// <summary>The epoch of the snapshot that the caller has; null when it has none.</summary>
    public string? Epoch { get; init; }

    /// <summary>Its version; <see cref="NoVersion"/> when it has none.</summary>
    public long Version { get; init; } = NoVersion;

    /// <summary>Whether the caller is to be told on this connection, by GRAY_STATE_CHANGED, when the state has changed.</summary>
    public bool Watch { get; init; }

    /// <summary>
    /// The name of the broker that asks in order to act on the state; null for anybody else. A broker that never asked cannot
    /// honour gray, and commands that need it are refused.
    /// </summary>
    public string? BrokerName { get; init; }

    public static GetGrayStateHeader Read(HeaderFields fields) => new()
    {
        Epoch = fields.FindString("epoch"u8),
        Version = fields.FindInt64("version"u8, NoVersion),
        Watch = fields.FindBoolean("watch"u8),
        BrokerName = fields.FindString("brokerName"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("epoch"u8, Epoch);
        writer.Write("version"u8, Version);
        writer.Write("watch"u8, Watch);
        writer.Write("brokerName"u8, BrokerName);
    }
}

/// <summary>What a name server knows of the gray state.</summary>
public enum GrayStateAnswer
{
    /// <summary>It has no snapshot: whoever asks goes on with what it has. Never means that nothing is gray.</summary>
    Unknown = 0,

    /// <summary>The caller has the newest version.</summary>
    Unchanged = 1,

    /// <summary>The body holds the newest snapshot.</summary>
    Snapshot = 2,
}

/// <summary>Answer to GET_GRAY_STATE.</summary>
public sealed record GetGrayStateResponseHeader : ICommandHeader<GetGrayStateResponseHeader>
{
    public required GrayStateAnswer Answer { get; init; }

    /// <summary>Null when unknown.</summary>
    public string? Epoch { get; init; }

    /// <summary><see cref="GetGrayStateHeader.NoVersion"/> when unknown.</summary>
    public long Version { get; init; } = GetGrayStateHeader.NoVersion;

    /// <exception cref="HeaderFieldException">The answer is none of those that are known.</exception>
    public static GetGrayStateResponseHeader Read(HeaderFields fields) => new()
    {
        Answer = (GrayStateAnswer)fields.GetInt32("answer"u8) is var answer && Enum.IsDefined(answer)
            ? answer
            : throw new HeaderFieldException($"field answer is {(int)answer}: expected 0 to 2"),
        Epoch = fields.FindString("epoch"u8),
        Version = fields.FindInt64("version"u8, GetGrayStateHeader.NoVersion),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("answer"u8, (long)Answer);
        writer.Write("epoch"u8, Epoch);
        writer.Write("version"u8, Version);
    }
}

/// <summary>
/// The version that a name server has come to: GRAY_STATE_CHANGED (30102), sent one way to whoever watches, who then asks
/// GET_GRAY_STATE; also the answer to CHANGE_GRAY_STATE and REPORT_GRAY_PROGRESS.
/// </summary>
public sealed record GrayVersionHeader : ICommandHeader<GrayVersionHeader>
{
    /// <summary>Null when the name server has no snapshot.</summary>
    public string? Epoch { get; init; }

    /// <summary><see cref="GetGrayStateHeader.NoVersion"/> when it has none.</summary>
    public long Version { get; init; } = GetGrayStateHeader.NoVersion;

    public static GrayVersionHeader Read(HeaderFields fields) => new()
    {
        Epoch = fields.FindString("epoch"u8),
        Version = fields.FindInt64("version"u8, GetGrayStateHeader.NoVersion),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("epoch"u8, Epoch);
        writer.Write("version"u8, Version);
    }
}

/// <summary>
/// Changes the gray state: CHANGE_GRAY_STATE (30101). The body is a <see cref="Bodies.GrayCommand"/>. Answered
/// <see cref="GrayVersionHeader"/> once the change is in the database, or <see cref="ResponseCode.GrayRefused"/>,
/// <see cref="ResponseCode.GrayConflict"/> or <see cref="ResponseCode.GrayUnavailable"/>, with nothing changed.
/// </summary>
public sealed record ChangeGrayStateHeader : ICommandHeader<ChangeGrayStateHeader>
{
    /// <summary>The epoch that the caller decided by; null to take whichever there is.</summary>
    public string? Epoch { get; init; }

    /// <summary>The version that the caller decided by; <see cref="GetGrayStateHeader.NoVersion"/> to take the newest.</summary>
    public long Version { get; init; } = GetGrayStateHeader.NoVersion;

    /// <summary>Who wants it, for the history: <c>user@host</c>. The address is taken from the connection.</summary>
    public string? Operator { get; init; }

    public static ChangeGrayStateHeader Read(HeaderFields fields) => new()
    {
        Epoch = fields.FindString("epoch"u8),
        Version = fields.FindInt64("version"u8, GetGrayStateHeader.NoVersion),
        Operator = fields.FindString("operator"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("epoch"u8, Epoch);
        writer.Write("version"u8, Version);
        writer.Write("operator"u8, Operator);
    }
}

/// <summary>
/// A broker tells how far it has come: REPORT_GRAY_PROGRESS (30103), answered with <see cref="GrayVersionHeader"/>. The body is
/// its progress as <c>GrayMQ.Gray</c> writes it. A change counts as done by this broker once it reports a version of at least the
/// change's, and no handover of the change's topic or group that has not reached its boundary: it must have taken all boundaries
/// that a version asks for before it reports that version.
/// </summary>
public sealed record ReportGrayProgressHeader : ICommandHeader<ReportGrayProgressHeader>
{
    public required string BrokerName { get; init; }

    public static ReportGrayProgressHeader Read(HeaderFields fields) => new() { BrokerName = fields.GetString("brokerName"u8) };

    public void Write(ref HeaderWriter writer) => writer.Write("brokerName"u8, BrokerName);
}

/// <summary>Asks what was changed, the newest first: GET_GRAY_HISTORY (30104).</summary>
public sealed record GetGrayHistoryHeader : ICommandHeader<GetGrayHistoryHeader>
{
    /// <summary>Only what concerns this topic or group; null for all.</summary>
    public string? Subject { get; init; }

    /// <summary>Only what made a version before this one; 0 begins with the newest.</summary>
    public long Before { get; init; }

    /// <summary>How many at most; the server may give fewer.</summary>
    public int MaxCount { get; init; }

    public static GetGrayHistoryHeader Read(HeaderFields fields) => new()
    {
        Subject = fields.FindString("subject"u8),
        Before = fields.FindInt64("before"u8),
        MaxCount = fields.FindInt32("maxCount"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("subject"u8, Subject);
        writer.Write("before"u8, Before);
        writer.Write("maxCount"u8, MaxCount);
    }
}
