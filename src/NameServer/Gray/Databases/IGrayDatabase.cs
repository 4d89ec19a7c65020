using GrayMQ.Gray;

namespace GrayMQ.NameServer.Gray.Databases;

/// <summary>
/// Where the gray state lives; several name servers may share one. Each call is one transaction, opens the database if need be, and
/// makes or upgrades its tables at the first. A call that fails throws <see cref="GrayDatabaseException"/> and has changed nothing,
/// unless <see cref="GrayDatabaseException.MayHaveChanged"/>.
/// </summary>
internal interface IGrayDatabase : IAsyncDisposable
{
    /// <summary>The database for people, without secrets.</summary>
    string Description { get; }

    /// <summary>Whether there is a database: asking makes none.</summary>
    bool Exists { get; }

    Task<GrayVersion> ReadVersionAsync(CancellationToken cancel);

    /// <summary>Everything, as of one moment.</summary>
    Task<GrayContents> ReadAsync(CancellationToken cancel);

    /// <summary>Makes a change if the state is still of version <paramref name="expected"/>; its version is then the next.</summary>
    /// <returns>False when the state is of another version: nothing has changed.</returns>
    Task<bool> TryChangeAsync(GrayVersion expected, GrayRowChanges changes, CancellationToken cancel);

    /// <summary>Gives the state a new epoch, with the next version, if it is still of version <paramref name="expected"/>.</summary>
    Task<bool> TryBeginEpochAsync(GrayVersion expected, GrayAudit audit, CancellationToken cancel);

    /// <summary>
    /// Notes what a broker owes or has done; of a change that is no longer under way nothing. What is done stays done. This is no
    /// change of the state and has no version.
    /// </summary>
    Task NoteAsync(IReadOnlyList<GrayPart> parts, CancellationToken cancel);

    /// <summary>What was changed, the newest first.</summary>
    /// <param name="subject">Only what is about this; null for all.</param>
    /// <param name="before">Only versions before this one; 0 for all.</param>
    Task<IReadOnlyList<GrayAuditRow>> ReadHistoryAsync(string? subject, long before, int maxCount, CancellationToken cancel);
}
