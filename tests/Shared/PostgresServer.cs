using System.Diagnostics;
using System.Runtime.InteropServices;
using Npgsql;

namespace GrayMQ.Testing;

/// <summary>
/// A real PostgreSQL with data and a Unix socket in a folder of its own; no port, no system service. It refuses to run as root, so that
/// root runs it as the user postgres, whom Debian's package makes. test.sh installs it.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    public const string User = "graymq";
    public const string Password = "p@ss/word";

    private const int Port = 5432;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _binaries;
    private readonly string _folder;
    private Process? _server;
    private int _databases;

    private PostgresServer(string binaries, string folder)
    {
        _binaries = binaries;
        _folder = folder;
    }

    private string Data => Path.Combine(_folder, "data");

    public static async Task<PostgresServer> StartNewAsync()
    {
        string binaries = FindBinaries();
        string folder = Directory.CreateTempSubdirectory("pg-").FullName;
        await RunAsync("chmod", ["755", folder]);
        var server = new PostgresServer(binaries, folder);
        string passwordFile = Path.Combine(folder, "password");
        await File.WriteAllTextAsync(passwordFile, Password);
        if (IsRoot)
        {
            await RunAsync("chown", ["-R", "postgres", folder]);
        }

        await server.RunAsServerAsync(
            "initdb", "-D", server.Data, "-U", User, "--pwfile", passwordFile, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8", "--locale", "C");
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it again.</summary>
    public async Task StartAsync()
    {
        _server = Start(
            CommandAsServer(
                Path.Combine(_binaries, "postgres"),
                "-D",
                Data,
                "-c",
                "listen_addresses=",
                "-c",
                $"unix_socket_directories={_folder}",
                "-c",
                "fsync=off",
                "-c",
                "max_connections=30"));

        // Nobody reads what it says; unread, it would stop it.
        _server.BeginOutputReadLine();
        _server.BeginErrorReadLine();
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await using NpgsqlConnection connection = NewConnection("postgres");
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (Stopwatch.GetElapsedTime(started) < Patience && !_server.HasExited)
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>Ends it as a crash would.</summary>
    public async Task KillAsync()
    {
        if (_server is { HasExited: false } server)
        {
            // Whoever ran it as another user passes no signal on: the server's own number is in the first line of its lock.
            string pid = (await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid")))[0];
            await RunAsync("kill", ["-QUIT", pid]);
            await server.WaitForExitAsync().WaitAsync(Patience);
        }

        _server?.Dispose();
        _server = null;
        NpgsqlConnection.ClearAllPools();
    }

    /// <summary>An empty database; the address is a value of grayDatabase.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        string name = $"gray{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync("postgres", $"CREATE DATABASE {name}");
        return $"postgres://{User}:{Uri.EscapeDataString(Password)}@localhost/{name}?host={Uri.EscapeDataString(_folder)}";
    }

    /// <summary>A connection to the database of an address that <see cref="NewDatabaseAsync"/> gave.</summary>
    public NpgsqlConnection ConnectionTo(string address) => NewConnection(new Uri(address).AbsolutePath.Trim('/'));

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsRoot => Environment.IsPrivilegedProcess && RuntimeInformation.IsOSPlatform(OSPlatform.Linux);

    private static string FindBinaries() =>
        (Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .Select(version => Path.Combine(version, "bin"))
                .LastOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")))
            : null)
        ?? (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")))
        ?? throw new InvalidOperationException("PostgreSQL is not installed: test.sh installs it");

    private NpgsqlConnection NewConnection(string database) => new(new NpgsqlConnectionStringBuilder
    {
        Host = _folder,
        Port = Port,
        Database = database,
        Username = User,
        Password = Password,
        Pooling = false,
    }.ToString());

    private async Task ExecuteAsync(string database, string statement)
    {
        await using NpgsqlConnection connection = NewConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private Task RunAsServerAsync(string program, params string[] arguments)
    {
        string[] command = CommandAsServer(Path.Combine(_binaries, program), arguments);
        return RunAsync(command[0], command[1..]);
    }

    private static string[] CommandAsServer(string program, params string[] arguments) =>
        IsRoot ? ["runuser", "-u", "postgres", "--", program, .. arguments] : [program, .. arguments];

    private static async Task RunAsync(string program, string[] arguments)
    {
        using Process process = Start([program, .. arguments]);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync().WaitAsync(Patience);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {errors}");
        }
    }

    private static Process Start(string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        return Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} does not start");
    }
}
