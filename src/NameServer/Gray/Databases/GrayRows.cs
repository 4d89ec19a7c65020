using GrayMQ.Gray;

namespace GrayMQ.NameServer.Gray.Databases;

/// <summary>What a row of the state is about. The names are in the database.</summary>
internal enum GrayRowKind
{
    Topic = 0,
    Release = 1,

    /// <summary>A change that has begun and not ended.</summary>
    Change = 2,
}

/// <summary>One value of the state.</summary>
/// <param name="Name">Unique among those of its kind.</param>
/// <param name="Value">JSON; the database does not look into it.</param>
internal readonly record struct GrayRow(GrayRowKind Kind, string Name, string Value);

/// <summary>What one broker owes to a change that is under way.</summary>
/// <param name="Change">Name of the change's row.</param>
/// <param name="Since">The version with which the change began: a change of the same name that came later is another.</param>
internal readonly record struct GrayPart(string Change, long Since, string Broker, bool Done);

/// <summary>Everything that the database says, as it was at one moment.</summary>
/// <param name="Brokers">Names of the brokers that ever acted on the state.</param>
internal sealed record GrayContents(
    GrayVersion Version, IReadOnlyList<GrayRow> Rows, IReadOnlyList<GrayPart> Parts, IReadOnlyList<string> Brokers);

/// <summary>The rows that a change writes, and what is written about it.</summary>
internal sealed record GrayRowChanges
{
    /// <summary>Rows that go. With a change go its parts.</summary>
    public IReadOnlyList<(GrayRowKind Kind, string Name)> Remove { get; init; } = [];

    /// <summary>Rows that are made, or replaced; after those that go have gone.</summary>
    public IReadOnlyList<GrayRow> Put { get; init; } = [];

    /// <summary>What brokers owe to changes that begin, by name of the change's row.</summary>
    public IReadOnlyList<(string Change, string Broker)> Owed { get; init; } = [];

    /// <summary>Brokers that are counted as gone for good.</summary>
    public IReadOnlyList<string> Forget { get; init; } = [];

    /// <summary>Brokers that act on the state from now on.</summary>
    public IReadOnlyList<string> Know { get; init; } = [];

    public required GrayAudit Audit { get; init; }
}

/// <summary>Who changed what, from where and when.</summary>
/// <param name="Subject">The topic or group that it is about.</param>
/// <param name="Command">JSON.</param>
internal sealed record GrayAudit(long AtMs, string Operator, string From, string Subject, string Command, string Summary);

/// <summary>A change that was made.</summary>
internal sealed record GrayAuditRow(GrayVersion Version, GrayAudit Audit);
