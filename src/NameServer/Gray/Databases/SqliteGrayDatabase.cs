using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace GrayMQ.NameServer.Gray.Databases;

/// <summary>
/// The gray state in one SQLite file, which name servers on one host may share. Written ahead (WAL), so that reading goes on beside a
/// change; each change is on disk when it is committed.
/// </summary>
/// <param name="path">The file; made, with its folder, when it is first needed.</param>
/// <param name="maxBytes">What the file may grow to.</param>
internal sealed class SqliteGrayDatabase(
    string path, TimeSpan timeout, Action<string>? afterStatement = null, long maxBytes = SqliteGrayDatabase.DefaultMaxBytes)
    : SqlGrayDatabase(timeout, afterStatement)
{
    /// <summary>Far more than the history of all changes that are kept.</summary>
    private const long DefaultMaxBytes = 1L << 30;

    private const int PageBytes = 4096;
    private const int Full = 13;
    private const int Busy = 5;
    private const int CannotOpen = 14;
    private const int ReadOnly = 8;

    private readonly int _timeoutSeconds = Math.Max(1, (int)timeout.TotalSeconds);

    public override string Description => $"database {path}";

    public override bool Exists => File.Exists(path);

    protected override string FindTables => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'gray_state'";

    protected override async Task<DbConnection> OpenAsync(CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);

        // Without a pool: a file that was replaced by a backup is seen at once, and an idle server holds nothing open.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            DefaultTimeout = _timeoutSeconds,
        }.ToString());
        try
        {
            await connection.OpenAsync(cancel).ConfigureAwait(false);
            await using SqliteCommand pragma = connection.CreateCommand();
            pragma.CommandText = string.Create(
                CultureInfo.InvariantCulture,
                $"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA max_page_count = {maxBytes / PageBytes}");
            await pragma.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    protected override ValueTask<DbTransaction> BeginAsync(DbConnection connection, bool writes, CancellationToken cancel) =>
        ValueTask.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(deferred: !writes));

    protected override string Explain(Exception error) => error is SqliteException sqlite
        ? sqlite.SqliteErrorCode switch
        {
            Full => $"the disk is full, or the file has come to {maxBytes} bytes",
            Busy => $"another process has held it for {_timeoutSeconds} s",
            CannotOpen => "the file cannot be opened",
            ReadOnly => "the file may not be written",
            _ => sqlite.Message,
        }
        : error.Message;
}
