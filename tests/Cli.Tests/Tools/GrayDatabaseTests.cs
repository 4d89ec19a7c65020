using GrayMQ.Cli.Tests.Support;
using Microsoft.Data.Sqlite;

namespace GrayMQ.Cli.Tests.Tools;

/// <summary>What an operator is told whose name server cannot use its database.</summary>
public sealed class GrayDatabaseTests : IDisposable
{
    private const string Topic = "Orders";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // By the default settings, whose times have to fit together: the name server gives its database up before the command gives it up.
    [Fact]
    public async Task Change_WhileTheDatabaseIsSlow_IsToldWhyAndChangesNothing()
    {
        string ready = "";
        await using RunningCommand server = await StandaloneServer.StartAsync(_folder.PathOf("store"), line => ready = line);
        string nameServer = StandaloneServer.ReadyLine().Match(ready).Groups["namesrv"].Value;
        (await RunAsync(nameServer, "topic", "create", Topic, "--queues", "6")).ShouldSucceed();
        (await RunAsync(nameServer, "gray", "topic", "enable", Topic, "--wait")).ShouldSucceed();
        string database = Directory.GetFiles(_folder.PathOf("store"), "gray.db", SearchOption.AllDirectories).Single();
        await using (var holder = new SqliteConnection($"Data Source={database};Pooling=false"))
        {
            await holder.OpenAsync();
            await using SqliteTransaction held = holder.BeginTransaction(deferred: false);

            (await RunAsync(nameServer, "gray", "topic", "disable", Topic)).ShouldFail(ExitCode.Failure, "another process has held it");
            Assert.Contains("on     0,5 of 6", (await RunAsync(nameServer, "gray", "status")).ShouldSucceed().Output, StringComparison.Ordinal);
        }

        (await RunAsync(nameServer, "gray", "topic", "disable", Topic, "--wait")).ShouldSucceed();
    }

    private static Task<CommandResult> RunAsync(string nameServer, params string[] arguments) =>
        TestCommand.RunAsync([.. arguments, "-n", nameServer]);
}
