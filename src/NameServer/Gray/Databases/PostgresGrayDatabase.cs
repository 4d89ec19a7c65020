using System.Data;
using System.Data.Common;
using System.Net.Sockets;
using Npgsql;

namespace GrayMQ.NameServer.Gray.Databases;

/// <summary>The gray state in a PostgreSQL database, which name servers on several hosts share.</summary>
internal sealed class PostgresGrayDatabase : SqlGrayDatabase
{
    /// <summary>Of the advisory lock under which tables are made: any number that nobody else uses.</summary>
    private const long SchemaLock = 0x67726179;

    private readonly NpgsqlDataSource _source;

    /// <param name="address">With host, database and login.</param>
    public PostgresGrayDatabase(GrayDatabaseAddress address, TimeSpan timeout, Action<string>? afterStatement = null)
        : base(timeout, afterStatement)
    {
        int seconds = Math.Max(1, (int)timeout.TotalSeconds);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = address.Host,
            Port = address.Port,
            Database = address.Database,
            Username = address.User,
            Password = address.Password,
            Timeout = seconds,
            CommandTimeout = seconds,
            MaxPoolSize = 2,
            KeepAlive = 30,
            ApplicationName = "graymq",
            SslMode = address.RequireTls ? SslMode.Require : SslMode.Prefer,
        };
        _source = NpgsqlDataSource.Create(builder);
        Description = $"database {address.Describe()}";
    }

    public override string Description { get; }

    /// <summary>It was asked for by name: whether it is there shows when it is used.</summary>
    public override bool Exists => true;

    protected override string FindTables => "SELECT 1 WHERE to_regclass('gray_state') IS NOT NULL";

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    protected override async Task<DbConnection> OpenAsync(CancellationToken cancel) =>
        await _source.OpenConnectionAsync(cancel).ConfigureAwait(false);

    // A reader sees one moment; a writer that waited for another sees what that one has written.
    protected override async ValueTask<DbTransaction> BeginAsync(DbConnection connection, bool writes, CancellationToken cancel) =>
        await connection.BeginTransactionAsync(writes ? IsolationLevel.ReadCommitted : IsolationLevel.RepeatableRead, cancel).ConfigureAwait(false);

    protected override async Task LockTablesAsync(DbTransaction transaction, CancellationToken cancel)
    {
        await using DbCommand command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = $"SELECT pg_advisory_xact_lock({SchemaLock})";
        await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
    }

    protected override string Explain(Exception error) => error switch
    {
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => "its disk is full",
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
            "it does not accept this user and password",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => "there is no such database",
        PostgresException postgres => postgres.MessageText,
        { InnerException: SocketException socket } => $"it cannot be reached ({socket.Message})",
        { InnerException: TimeoutException } => "it did not answer in time",
        _ => error.Message,
    };
}
