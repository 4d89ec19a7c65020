using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Databases;
using Microsoft.Data.Sqlite;

namespace GrayMQ.NameServer.Tests.Gray;

public sealed class SqliteGrayDatabaseTests : GrayDatabaseContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gray-sqlite-").FullName;
    private int _databases;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Existing_IsAskedWithoutMakingTheFile()
    {
        string path = await NewAddressAsync();
        await using IGrayDatabase database = Open(path);

        Assert.False(database.Exists);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task File_ThatIsHeldByAnother_IsSlowAndSaysSo()
    {
        string path = await NewAddressAsync();
        await using IGrayDatabase database = Open(path);
        GrayVersion version = await database.ReadVersionAsync(default);
        await using SqliteConnection holder = Connect(path);
        await holder.OpenAsync();
        await using SqliteTransaction held = holder.BeginTransaction(deferred: false);

        GrayDatabaseException error = await Assert.ThrowsAsync<GrayDatabaseException>(() => database.TryChangeAsync(version, Put("T"), default));

        Assert.False(error.MayHaveChanged);
        Assert.Contains("another process has held it", error.Message, StringComparison.Ordinal);
        Assert.Equal(version, await database.ReadVersionAsync(default));
        await held.RollbackAsync();
        Assert.True(await database.TryChangeAsync(version, Put("T"), default));
    }

    [Fact]
    public async Task File_ThatIsFull_KeepsWhatThereIs()
    {
        string path = await NewAddressAsync();
        await using var database = new SqliteGrayDatabase(path, TimeSpan.FromSeconds(5), maxBytes: 200_000);
        GrayVersion version = await database.ReadVersionAsync(default);
        int written = 0;
        GrayDatabaseException error = await Assert.ThrowsAsync<GrayDatabaseException>(async () =>
        {
            for (; written < 1_000; written++)
            {
                Assert.True(await database.TryChangeAsync(version, Put(new string('x', 1_000) + written), default));
                version = version with { Version = version.Version + 1 };
            }
        });

        Assert.Contains("full", error.Message, StringComparison.Ordinal);
        GrayContents contents = await database.ReadAsync(default);
        Assert.Equal((version, written), (contents.Version, contents.Rows.Count));
        Assert.InRange(written, 10, 999);
    }

    [Fact]
    public async Task File_ThatIsNoDatabase_IsRefused()
    {
        string path = await NewAddressAsync();
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, new string('x', 10_000));
        await using IGrayDatabase database = Open(path);

        await Assert.ThrowsAsync<GrayDatabaseException>(() => database.ReadAsync(default));

        Assert.Equal(10_000, new FileInfo(path).Length);
    }

    [Fact]
    public async Task Folder_ThatCannotBeMade_IsAnError()
    {
        string file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "");
        await using IGrayDatabase database = Open(Path.Combine(file, "gray.db"));

        await Assert.ThrowsAsync<GrayDatabaseException>(() => database.ReadAsync(default));
    }

    protected override Task<string> NewAddressAsync() =>
        Task.FromResult(Path.Combine(_folder, "deep", $"gray{Interlocked.Increment(ref _databases)}.db"));

    internal override IGrayDatabase Open(string address, Action<string>? afterStatement = null) =>
        new SqliteGrayDatabase(address, TimeSpan.FromSeconds(5), afterStatement);

    protected override async Task ExecuteAsync(string address, string statement)
    {
        await using SqliteConnection connection = Connect(address);
        await connection.OpenAsync();
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync();
    }

    private static SqliteConnection Connect(string path) =>
        new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
}
