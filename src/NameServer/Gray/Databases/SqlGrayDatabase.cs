using System.Data.Common;
using System.Security.Cryptography;
using GrayMQ.Gray;

namespace GrayMQ.NameServer.Gray.Databases;

/// <summary>
/// The gray state in an SQL database. A change first raises the version, which takes the state's row until the transaction ends: of
/// two that change at once the second finds another version. Whatever is not committed when a process ends is undone by the database.
/// </summary>
internal abstract class SqlGrayDatabase : IGrayDatabase
{
    private const int EpochBytes = 8;

    private readonly TimeSpan _timeout;
    private readonly Action<string>? _afterStatement;
    private readonly SemaphoreSlim _one = new(1, 1);
    private bool _prepared;

    /// <param name="timeout">How long a call may take; one that takes longer fails.</param>
    /// <param name="afterStatement">Called after each statement and before each commit: where tests break off.</param>
    protected SqlGrayDatabase(TimeSpan timeout, Action<string>? afterStatement)
    {
        _timeout = timeout;
        _afterStatement = afterStatement;
    }

    public abstract string Description { get; }

    public abstract bool Exists { get; }

    public Task<GrayVersion> ReadVersionAsync(CancellationToken cancel) =>
        RunAsync(writes: false, (transaction, stop) => ReadVersionAsync(transaction, stop), cancel);

    public Task<GrayContents> ReadAsync(CancellationToken cancel) => RunAsync(writes: false, ReadContentsAsync, cancel);

    public Task<bool> TryChangeAsync(GrayVersion expected, GrayRowChanges changes, CancellationToken cancel) => RunAsync(
        writes: true,
        async (transaction, stop) =>
        {
            if (!await TryRaiseVersionAsync(transaction, expected, expected.Epoch, stop).ConfigureAwait(false))
            {
                return false;
            }

            var next = expected with { Version = expected.Version + 1 };
            foreach ((GrayRowKind kind, string name) in changes.Remove)
            {
                await RemoveAsync(transaction, kind, name, stop).ConfigureAwait(false);
            }

            foreach (GrayRow row in changes.Put)
            {
                await ExecuteAsync(
                    transaction,
                    SqlStatements.PutRow,
                    stop,
                    ("kind", row.Kind.ToString()),
                    ("name", row.Name),
                    ("value", row.Value),
                    ("version", next.Version)).ConfigureAwait(false);
            }

            foreach ((string change, string broker) in changes.Owed)
            {
                await NotePartAsync(transaction, new GrayPart(change, next.Version, broker, Done: false), stop).ConfigureAwait(false);
            }

            foreach (string broker in changes.Forget)
            {
                await ExecuteAsync(transaction, SqlStatements.ForgetBroker, stop, ("name", broker)).ConfigureAwait(false);
            }

            foreach (string broker in changes.Know)
            {
                await ExecuteAsync(transaction, SqlStatements.NoteBroker, stop, ("name", broker)).ConfigureAwait(false);
            }

            await InsertAuditAsync(transaction, next, changes.Audit, stop).ConfigureAwait(false);
            await ExecuteAsync(transaction, SqlStatements.ForgetAudit, stop, ("version", next.Version - SqlStatements.KeptAudits)).ConfigureAwait(false);
            return true;
        },
        cancel);

    public Task<bool> TryBeginEpochAsync(GrayVersion expected, GrayAudit audit, CancellationToken cancel) => RunAsync(
        writes: true,
        async (transaction, stop) =>
        {
            var next = new GrayVersion(NewEpoch(), expected.Version + 1);
            if (!await TryRaiseVersionAsync(transaction, expected, next.Epoch, stop).ConfigureAwait(false))
            {
                return false;
            }

            await InsertAuditAsync(transaction, next, audit, stop).ConfigureAwait(false);
            return true;
        },
        cancel);

    public Task NoteAsync(IReadOnlyList<GrayPart> parts, CancellationToken cancel) => RunAsync(
        writes: true,
        async (transaction, stop) =>
        {
            // Changes end under the same lock: a part is noted before the end, or not at all.
            await ExecuteAsync(transaction, SqlStatements.Lock, stop).ConfigureAwait(false);
            foreach (GrayPart part in parts)
            {
                await NotePartAsync(transaction, part, stop).ConfigureAwait(false);
            }

            return true;
        },
        cancel);

    public Task<IReadOnlyList<GrayAuditRow>> ReadHistoryAsync(
        string? subject, long before, int maxCount, CancellationToken cancel) => RunAsync<IReadOnlyList<GrayAuditRow>>(
        writes: false,
        async (transaction, stop) => await ReadAllAsync(
            transaction,
            SqlStatements.ReadHistory,
            reader => new GrayAuditRow(
                new GrayVersion(reader.GetString(1), reader.GetInt64(0)),
                new GrayAudit(
                    reader.GetInt64(2), reader.GetString(3), reader.GetString(4), reader.GetString(5), reader.GetString(6), reader.GetString(7))),
            stop,
            ("any_subject", subject is null ? 1 : 0),
            ("subject", subject ?? ""),
            ("before", before > 0 ? before : long.MaxValue),
            ("max", maxCount)).ConfigureAwait(false),
        cancel);

    public virtual ValueTask DisposeAsync()
    {
        _one.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Gives one row where the tables are there, and none where they are not.</summary>
    protected abstract string FindTables { get; }

    /// <summary>An open connection.</summary>
    protected abstract Task<DbConnection> OpenAsync(CancellationToken cancel);

    /// <summary>Begins a transaction that sees one moment; one that writes waits for the others that do.</summary>
    protected abstract ValueTask<DbTransaction> BeginAsync(DbConnection connection, bool writes, CancellationToken cancel);

    /// <summary>What an error of the database means, for people.</summary>
    protected abstract string Explain(Exception error);

    private static string NewEpoch() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(EpochBytes));

    // One call at a time: a name server asks seldom, and a database that hangs should hang one connection.
    private async Task<T> RunAsync<T>(
        bool writes, Func<DbTransaction, CancellationToken, Task<T>> call, CancellationToken cancel)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_timeout);
        bool committing = false;
        try
        {
            await _one.WaitAsync(limit.Token).ConfigureAwait(false);
            try
            {
                await using DbConnection connection = await OpenAsync(limit.Token).ConfigureAwait(false);
                await PrepareAsync(connection, limit.Token).ConfigureAwait(false);
                await using DbTransaction transaction = await BeginAsync(connection, writes, limit.Token).ConfigureAwait(false);
                T result = await call(transaction, limit.Token).ConfigureAwait(false);
                committing = writes;
                await transaction.CommitAsync(limit.Token).ConfigureAwait(false);
                return result;
            }
            finally
            {
                _one.Release();
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new GrayDatabaseException(
                $"{Description} did not answer within {_timeout.TotalMilliseconds:F0} ms", mayHaveChanged: committing);
        }
        catch (Exception e) when (e is DbException or IOException or TimeoutException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new GrayDatabaseException($"{Description}: {Explain(e)}", e, committing);
        }
    }

    private async Task PrepareAsync(DbConnection connection, CancellationToken cancel)
    {
        if (_prepared)
        {
            return;
        }

        // All tables are made in one transaction: where one is, all are. Making them again would wait for whoever uses them.
        await using DbTransaction transaction = await BeginAsync(connection, writes: true, cancel).ConfigureAwait(false);
        await LockTablesAsync(transaction, cancel).ConfigureAwait(false);
        if ((await ReadAllAsync(transaction, FindTables, reader => reader.GetInt32(0), cancel).ConfigureAwait(false)).Count == 0)
        {
            foreach (string statement in SqlStatements.Create)
            {
                await ExecuteAsync(transaction, statement, cancel).ConfigureAwait(false);
            }

            await ExecuteAsync(
                transaction, SqlStatements.InsertState, cancel, ("schema", SqlStatements.Schema), ("epoch", NewEpoch())).ConfigureAwait(false);
        }

        int schema = (await ReadAllAsync(transaction, SqlStatements.ReadSchema, reader => reader.GetInt32(0), cancel).ConfigureAwait(false))[0];
        if (schema != SqlStatements.Schema)
        {
            throw new GrayDatabaseException(
                $"{Description} has tables of version {schema}, this server knows {SqlStatements.Schema}: a later GrayMQ has upgraded them");
        }

        await transaction.CommitAsync(cancel).ConfigureAwait(false);
        _prepared = true;
    }

    /// <summary>Keeps other servers from making the tables at the same time.</summary>
    protected virtual Task LockTablesAsync(DbTransaction transaction, CancellationToken cancel) => Task.CompletedTask;

    private async Task<GrayContents> ReadContentsAsync(DbTransaction transaction, CancellationToken cancel) => new(
        await ReadVersionAsync(transaction, cancel).ConfigureAwait(false),
        await ReadAllAsync(
            transaction,
            SqlStatements.ReadRows,
            reader => new GrayRow(Enum.Parse<GrayRowKind>(reader.GetString(0)), reader.GetString(1), reader.GetString(2)),
            cancel).ConfigureAwait(false),
        await ReadAllAsync(
            transaction,
            SqlStatements.ReadParts,
            reader => new GrayPart(reader.GetString(0), reader.GetInt64(1), reader.GetString(2), reader.GetInt32(3) != 0),
            cancel).ConfigureAwait(false),
        await ReadAllAsync(transaction, SqlStatements.ReadBrokers, reader => reader.GetString(0), cancel).ConfigureAwait(false));

    private async Task<GrayVersion> ReadVersionAsync(DbTransaction transaction, CancellationToken cancel) =>
        (await ReadAllAsync(
            transaction,
            SqlStatements.ReadVersion,
            reader => new GrayVersion(reader.GetString(0), reader.GetInt64(1)),
            cancel).ConfigureAwait(false))[0];

    private async Task<bool> TryRaiseVersionAsync(
        DbTransaction transaction, GrayVersion expected, string nextEpoch, CancellationToken cancel) =>
        await ExecuteAsync(
            transaction,
            SqlStatements.RaiseVersion,
            cancel,
            ("epoch", expected.Epoch),
            ("version", expected.Version),
            ("next_epoch", nextEpoch)).ConfigureAwait(false) == 1;

    private async Task RemoveAsync(DbTransaction transaction, GrayRowKind kind, string name, CancellationToken cancel)
    {
        await ExecuteAsync(transaction, SqlStatements.RemoveRow, cancel, ("kind", kind.ToString()), ("name", name)).ConfigureAwait(false);
        if (kind == GrayRowKind.Change)
        {
            await ExecuteAsync(transaction, SqlStatements.RemoveParts, cancel, ("change", name)).ConfigureAwait(false);
        }
    }

    private Task<int> NotePartAsync(DbTransaction transaction, GrayPart part, CancellationToken cancel) => ExecuteAsync(
        transaction,
        SqlStatements.NotePart,
        cancel,
        ("change", part.Change),
        ("since", part.Since),
        ("broker", part.Broker),
        ("done", part.Done ? 1 : 0));

    private Task<int> InsertAuditAsync(DbTransaction transaction, GrayVersion version, GrayAudit audit, CancellationToken cancel) =>
        ExecuteAsync(
            transaction,
            SqlStatements.InsertAudit,
            cancel,
            ("version", version.Version),
            ("epoch", version.Epoch),
            ("at_ms", audit.AtMs),
            ("operator", audit.Operator),
            ("address", audit.From),
            ("subject", audit.Subject),
            ("command", audit.Command),
            ("summary", audit.Summary));

    private async Task<int> ExecuteAsync(
        DbTransaction transaction, string statement, CancellationToken cancel, params (string Name, object Value)[] parameters)
    {
        await using DbCommand command = NewCommand(transaction, statement, parameters);
        int rows = await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
        _afterStatement?.Invoke(statement);
        return rows;
    }

    private async Task<List<T>> ReadAllAsync<T>(
        DbTransaction transaction,
        string statement,
        Func<DbDataReader, T> read,
        CancellationToken cancel,
        params (string Name, object Value)[] parameters)
    {
        await using DbCommand command = NewCommand(transaction, statement, parameters);
        await using DbDataReader reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        var values = new List<T>();
        while (await reader.ReadAsync(cancel).ConfigureAwait(false))
        {
            values.Add(read(reader));
        }

        _afterStatement?.Invoke(statement);
        return values;
    }

    private DbCommand NewCommand(DbTransaction transaction, string statement, (string Name, object Value)[] parameters)
    {
        DbCommand command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = statement;
        command.CommandTimeout = Math.Max(1, (int)_timeout.TotalSeconds);
        foreach ((string name, object value) in parameters)
        {
            DbParameter parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value;
            command.Parameters.Add(parameter);
        }

        return command;
    }
}
