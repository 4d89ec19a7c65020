using System.Globalization;

namespace GrayMQ.NameServer.Gray.Databases;

/// <summary>
/// Which database: a path is a SQLite file, <c>postgres://user:password@host:port/database</c> is PostgreSQL, with
/// <c>?sslmode=require</c> where plain text must not happen and <c>?host=/folder</c> for a Unix socket.
/// </summary>
public sealed record GrayDatabaseAddress
{
    private const int DefaultPort = 5432;

    /// <summary>The file; null for PostgreSQL.</summary>
    public string? Path { get; private init; }

    public string Host { get; private init; } = "";

    public int Port { get; private init; } = DefaultPort;

    public string Database { get; private init; } = "";

    public string User { get; private init; } = "";

    public string? Password { get; private init; }

    public bool RequireTls { get; private init; }

    /// <summary>The address without its password.</summary>
    public string Describe() => Path ?? string.Create(CultureInfo.InvariantCulture, $"postgres://{User}@{Host}:{Port}/{Database}");

    // A record prints all that it has: not this one.
    public override string ToString() => Describe();

    /// <returns>The address, or what was expected instead.</returns>
    public static (GrayDatabaseAddress? Address, string? Expected) Parse(string text)
    {
        const string Expected = "a file, or postgres://user:password@host/database";
        bool isUri = text.StartsWith("postgres://", StringComparison.Ordinal) || text.StartsWith("postgresql://", StringComparison.Ordinal);
        if (!isUri)
        {
            return text.Length == 0 || text.Contains("://", StringComparison.Ordinal)
                ? (null, Expected)
                : (new GrayDatabaseAddress { Path = text }, null);
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri))
        {
            return (null, Expected);
        }

        string[] login = uri.UserInfo.Split(':', 2);
        string database = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/'));
        Dictionary<string, string> options = Options(uri.Query);
        string host = options.GetValueOrDefault("host", uri.Host);
        string mode = options.GetValueOrDefault("sslmode", "prefer");
        if (login[0].Length == 0 || host.Length == 0 || database.Length == 0 || mode is not ("prefer" or "require")
            || options.Keys.Any(key => key is not ("host" or "sslmode")))
        {
            return (null, Expected + " with, if need be, ?sslmode=require or ?host=/folder");
        }

        return (
            new GrayDatabaseAddress
            {
                Host = host,
                Port = uri.Port > 0 ? uri.Port : DefaultPort,
                Database = database,
                User = Uri.UnescapeDataString(login[0]),
                Password = login.Length > 1 ? Uri.UnescapeDataString(login[1]) : null,
                RequireTls = mode == "require",
            },
            null);
    }

    internal IGrayDatabase Open(TimeSpan timeout) =>
        Path is not null ? new SqliteGrayDatabase(Path, timeout) : OpenPostgres(timeout);

    // By itself, so that whoever has no PostgreSQL does not load its library.
    private PostgresGrayDatabase OpenPostgres(TimeSpan timeout) => new(this, timeout);

    private static Dictionary<string, string> Options(string query)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string option in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = option.Split('=', 2);
            options[pair[0]] = pair.Length > 1 ? Uri.UnescapeDataString(pair[1]) : "";
        }

        return options;
    }
}
