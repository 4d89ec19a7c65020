namespace GrayMQ.NameServer.Gray.Databases;

/// <summary>The statements that both databases understand. Times are milliseconds since 1970; booleans are 0 and 1.</summary>
internal static class SqlStatements
{
    /// <summary>The tables' layout; a database of a later one is left alone, of an earlier one is upgraded.</summary>
    public const int Schema = 1;

    /// <summary>
    /// <c>gray_state</c> has one row, whose version each change raises by one: that is what it is compared by, and what a second
    /// change waits for. <c>gray_row</c> holds the state, <c>gray_part</c> what brokers owe to changes under way,
    /// <c>gray_broker</c> who ever acted on the state, <c>gray_audit</c> one row for each version.
    /// </summary>
    public static readonly string[] Create =
    [
        """
        CREATE TABLE gray_state (
            id INTEGER PRIMARY KEY CHECK (id = 1), schema INTEGER NOT NULL, epoch TEXT NOT NULL, version BIGINT NOT NULL)
        """,
        """
        CREATE TABLE gray_row (
            kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (kind, name))
        """,
        """
        CREATE TABLE gray_part (
            change TEXT NOT NULL, since BIGINT NOT NULL, broker TEXT NOT NULL, done INTEGER NOT NULL,
            PRIMARY KEY (change, since, broker))
        """,
        "CREATE TABLE gray_broker (name TEXT PRIMARY KEY)",
        """
        CREATE TABLE gray_audit (
            version BIGINT PRIMARY KEY, epoch TEXT NOT NULL, at_ms BIGINT NOT NULL, operator TEXT NOT NULL, address TEXT NOT NULL,
            subject TEXT NOT NULL, command TEXT NOT NULL, summary TEXT NOT NULL)
        """,
        "CREATE INDEX gray_audit_subject ON gray_audit (subject, version)",
    ];

    public const string InsertState =
        "INSERT INTO gray_state (id, schema, epoch, version) VALUES (1, @schema, @epoch, 0)";

    public const string ReadSchema = "SELECT schema FROM gray_state WHERE id = 1";

    public const string ReadVersion = "SELECT epoch, version FROM gray_state WHERE id = 1";

    public const string ReadRows = "SELECT kind, name, value FROM gray_row ORDER BY kind, name";

    public const string ReadParts = "SELECT change, since, broker, done FROM gray_part ORDER BY change, since, broker";

    public const string ReadBrokers = "SELECT name FROM gray_broker ORDER BY name";

    public const string RaiseVersion =
        "UPDATE gray_state SET epoch = @next_epoch, version = version + 1 WHERE id = 1 AND epoch = @epoch AND version = @version";

    /// <summary>Makes the transaction wait for all others that write.</summary>
    public const string Lock = "UPDATE gray_state SET version = version WHERE id = 1";

    public const string PutRow =
        """
        INSERT INTO gray_row (kind, name, value, version) VALUES (@kind, @name, @value, @version)
        ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, version = excluded.version
        """;

    public const string RemoveRow = "DELETE FROM gray_row WHERE kind = @kind AND name = @name";

    public const string RemoveParts = "DELETE FROM gray_part WHERE change = @change";

    public const string NotePart =
        """
        INSERT INTO gray_part (change, since, broker, done)
        SELECT @change, @since, @broker, @done FROM gray_row WHERE kind = 'Change' AND name = @change AND version = @since
        ON CONFLICT (change, since, broker) DO UPDATE SET done = CASE WHEN excluded.done = 1 THEN 1 ELSE gray_part.done END
        """;

    public const string NoteBroker = "INSERT INTO gray_broker (name) VALUES (@name) ON CONFLICT (name) DO NOTHING";

    public const string ForgetBroker = "DELETE FROM gray_broker WHERE name = @name";

    public const string InsertAudit =
        """
        INSERT INTO gray_audit (version, epoch, at_ms, operator, address, subject, command, summary)
        VALUES (@version, @epoch, @at_ms, @operator, @address, @subject, @command, @summary)
        """;

    /// <summary>Changes that the history goes back.</summary>
    public const int KeptAudits = 100_000;

    public const string ForgetAudit = "DELETE FROM gray_audit WHERE version <= @version";

    public const string ReadHistory =
        """
        SELECT version, epoch, at_ms, operator, address, subject, command, summary FROM gray_audit
        WHERE (@any_subject = 1 OR subject = @subject) AND version < @before ORDER BY version DESC LIMIT @max
        """;
}
