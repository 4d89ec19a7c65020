using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Databases;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.NameServer.Tests.Gray;

/// <summary>Several name servers on one database, and databases that are away or were restored.</summary>
public sealed class GrayStateTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly GrayCommand Open = new() { Action = GrayAction.Open, Group = "G" };

    [Fact]
    public async Task NameServer_WithoutADatabaseYet_KnowsNothingAndMakesNone()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await WireBroker.StartAsync("a");
        await a.RegisterAsync(server, 6, "T", "U");
        await a.AskAsync(server);
        await a.ReportAsync(server);
        server.Time.Advance(TimeSpan.FromSeconds(10));

        Assert.Null(await server.SnapshotAsync());
        Assert.Empty(await server.HistoryAsync());
        Assert.Equal(-1, (await server.StatusAsync()).Version);
        Assert.False(File.Exists(Path.Combine(server.Folder, "gray.db")));
    }

    [Fact]
    public async Task State_AskedByItsOwnVersion_IsUnchanged()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await StartBrokerAsync(server);
        await server.ChangeSuccessfullyAsync(Open);
        GrayVersion version = (await server.SnapshotAsync())!.Version;

        RemotingCommand answer = await server.AskSuccessfullyAsync(
            RequestCode.GetGrayState, new GetGrayStateHeader { Epoch = version.Epoch, Version = version.Version });

        Assert.Equal(GrayStateAnswer.Unchanged, GetGrayStateResponseHeader.Read(answer.Fields).Answer);
        Assert.True(answer.Body.IsEmpty);
    }

    [Fact]
    public async Task Watchers_AreToldOfEachVersion()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await StartBrokerAsync(server);
        var told = new TaskCompletionSource<GrayVersionHeader>(TaskCreationOptions.RunContinuationsAsynchronously);
        RequestTable table = new RequestTable().On<GrayVersionHeader>(RequestCode.GrayStateChanged, (_, header) =>
        {
            told.TrySetResult(header);
            return ValueTask.CompletedTask;
        });
        await using var watcher = new RemotingClient(RemotingClientOptions.Default, table, TimeProvider.System, NullLoggerFactory.Instance);
        await server.AskSuccessfullyAsync(RequestCode.GetGrayState, new GetGrayStateHeader { Watch = true }, client: watcher);

        await server.ChangeSuccessfullyAsync(Open);

        GrayVersion version = (await server.SnapshotAsync())!.Version;
        GrayVersionHeader header = await told.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(version.Includes(new GrayVersion(header.Epoch!, header.Version)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TwoNameServers_OnOneDatabase_SeeAndEndEachOthersChanges(bool onPostgres)
    {
        await using TestNameServer holder = await TestNameServer.StartAsync();
        string setting = "grayDatabase="
            + (onPostgres ? await postgres.Server.NewDatabaseAsync() : Path.Combine(holder.Folder, "shared.db"));
        await using TestNameServer one = await TestNameServer.StartAsync(setting);
        await using TestNameServer other = await TestNameServer.StartAsync(setting);
        await using WireBroker a = await StartBrokerAsync(one, other);
        await using WireBroker b = await WireBroker.StartAsync("b");
        b.SetSides("G", ("v1", false, "*"), ("v2", true, "*"));
        foreach (TestNameServer server in (TestNameServer[])[one, other])
        {
            await b.RegisterAsync(server, 6, "T", "U");
            await b.AskAsync(server);
        }

        await one.ChangeSuccessfullyAsync(Open);
        await SeesAsync(other, 1);
        await other.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.Promote, Group = "G" });
        await SeesAsync(one, 2);

        // Each broker reaches only one of the two with its report.
        await a.ReportAsync(one);
        await b.ReportAsync(other);

        // That each broker acts on the state is a version, too: what begins later waits for it.
        await SeesAsync(one, 5);
        await SeesAsync(other, 5);
        Assert.Equal(GrayReleaseState.Promoted, (await one.SnapshotAsync())!.Releases[0].State);
        Assert.Equal(await one.SnapshotAsync(), await other.SnapshotAsync());
        one.Time.Advance(TimeSpan.FromSeconds(1));
        other.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([5L, 4L, 3L, 2L, 1L], (await other.HistoryAsync()).Select(entry => entry.Version));
    }

    [Fact]
    public async Task NameServer_GoneBetweenTheLastReportAndTheEnd_IsTakenOverByTheOther()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await StartBrokerAsync(server);
        await server.ChangeSuccessfullyAsync(Open);
        await server.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.Promote, Group = "G" });

        // What the one that is gone had written: the broker's part is done, and nobody has ended the change.
        await using var database = new SqliteGrayDatabase(Path.Combine(server.Folder, "gray.db"), TimeSpan.FromSeconds(30));
        await database.NoteAsync([new GrayPart("consumer/G", 2, "a", true)], default);

        await SeesAsync(server, 3);
        Assert.Equal(GrayReleaseState.Promoted, (await server.SnapshotAsync())!.Releases[0].State);
    }

    [Fact]
    public async Task Database_Away_LeavesTheSnapshotAndRefusesChanges()
    {
        await using PostgresServer own = await PostgresServer.StartNewAsync();
        string setting = "grayDatabase=" + await own.NewDatabaseAsync();
        await using TestNameServer server = await TestNameServer.StartAsync(setting);
        await using WireBroker a = await StartBrokerAsync(server);
        await server.ChangeSuccessfullyAsync(Open);

        await own.KillAsync();

        RemotingCommand refused = await server.ChangeAsync(new GrayCommand { Action = GrayAction.Promote, Group = "G" });
        Assert.Equal(ResponseCode.GrayUnavailable, refused.ResponseCode);
        Assert.DoesNotContain(PostgresServer.Password, refused.Remark, StringComparison.Ordinal);
        Assert.Equal(GrayReleaseState.Open, (await server.SnapshotAsync())!.Releases[0].State);
        Assert.NotNull((await server.StatusAsync()).DatabaseProblem);
        await using TestNameServer late = await TestNameServer.StartAsync(setting);
        Assert.Null(await late.SnapshotAsync());

        await own.StartAsync();
        await server.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.Promote, Group = "G" });
        Assert.Null((await server.StatusAsync()).DatabaseProblem);
        await SeesAsync(late, 2);
    }

    [Fact]
    public async Task Database_Slow_LeavesTheSnapshotAndRefusesChanges()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("grayDatabaseTimeout=300");
        await using WireBroker a = await StartBrokerAsync(server);
        await server.ChangeSuccessfullyAsync(Open);
        await using (var holder = new SqliteConnection($"Data Source={Path.Combine(server.Folder, "gray.db")};Pooling=false"))
        {
            await holder.OpenAsync();
            await using SqliteTransaction held = holder.BeginTransaction(deferred: false);

            RemotingCommand refused = await server.ChangeAsync(new GrayCommand { Action = GrayAction.Promote, Group = "G" });

            Assert.Equal(ResponseCode.GrayUnavailable, refused.ResponseCode);
            Assert.Contains("another process has held it", refused.Remark, StringComparison.Ordinal);
            Assert.Equal(GrayReleaseState.Open, (await server.SnapshotAsync())!.Releases[0].State);
        }

        await server.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.Promote, Group = "G" });
        Assert.Null((await server.StatusAsync()).DatabaseProblem);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Database_Restored_IsANewEpoch(bool nameServerStaysUp)
    {
        string folder = Directory.CreateTempSubdirectory("gray-restored-").FullName;
        string path = Path.Combine(folder, "gray.db");
        string setting = $"grayDatabase={path}";
        TestNameServer server = await TestNameServer.StartAsync(setting);
        await using WireBroker a = await StartBrokerAsync(server);
        await server.ChangeSuccessfullyAsync(Open);
        File.Copy(path, path + ".backup");
        await server.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.AddRule, Group = "G", ClientGlob = "v2-*" });
        GrayVersion before = (await server.SnapshotAsync())!.Version;
        if (!nameServerStaysUp)
        {
            await server.DisposeAsync();
        }

        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
        File.Move(path + ".backup", path, overwrite: true);
        if (!nameServerStaysUp)
        {
            server = await TestNameServer.StartAsync(setting);
            await SeesAsync(server, 1);
            await a.RegisterAsync(server, 6, "T", "U");

            // Only the broker remembers that there was more.
            await a.ReportAsync(server, version: before);
        }

        // With the broker's report comes a version more: the restored database does not know the broker.
        await SeesAsync(server, nameServerStaysUp ? 2 : 3, epochBefore: before.Epoch);
        GraySnapshot snapshot = (await server.SnapshotAsync())!;
        Assert.Empty(snapshot.Releases[0].Rules);
        Assert.True(snapshot.Version.Supersedes(before));
        Assert.Contains("a new epoch begins", (await server.HistoryAsync())[nameServerStaysUp ? 0 : 1].Summary, StringComparison.Ordinal);
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Report_ThatIsNone_IsRefused()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        byte[] report = GrayJson.Encode(new GrayProgress { Broker = "a", Version = GrayVersion.None });

        foreach ((string broker, byte[] body) in ((string, byte[])[])[("a", []), ("a", "{}"u8.ToArray()), ("b", report)])
        {
            RemotingCommand answer = await server.AskAsync(
                RequestCode.ReportGrayProgress, new ReportGrayProgressHeader { BrokerName = broker }, body);
            Assert.Equal(ResponseCode.InvalidParameter, answer.ResponseCode);
        }
    }

    private static async Task<WireBroker> StartBrokerAsync(params TestNameServer[] servers)
    {
        WireBroker a = await WireBroker.StartAsync("a");
        a.SetSides("G", ("v1", false, "*"), ("v2", true, "*"));
        foreach (TestNameServer server in servers)
        {
            await a.RegisterAsync(server, 6, "T", "U");
            await a.AskAsync(server);
        }

        return a;
    }

    private static Task SeesAsync(TestNameServer server, long version, string? epochBefore = null) => Eventually.TrueAsync(
        async () =>
        {
            // One look at the database at a time: in longer steps the clock would outrun the brokers' registrations.
            server.Time.Advance(TimeSpan.FromMilliseconds(10));
            return await server.SnapshotAsync() is { } snapshot
                && snapshot.Version.Version >= version
                && snapshot.Version.Epoch != epochBefore;
        },
        $"the name server sees version {version}");
}
