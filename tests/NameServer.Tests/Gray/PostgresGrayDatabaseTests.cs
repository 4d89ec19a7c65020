using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Databases;
using Npgsql;

namespace GrayMQ.NameServer.Tests.Gray;

/// <summary>A PostgreSQL for all tests of a class: it takes seconds to make.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    internal PostgresServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await PostgresServer.StartNewAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

public sealed class PostgresGrayDatabaseTests(PostgresFixture postgres) : GrayDatabaseContract, IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Server_KilledAndStartedAgain_IsAwayAndThenThereWithAllThatWasChanged()
    {
        await using PostgresServer own = await PostgresServer.StartNewAsync();
        string address = await own.NewDatabaseAsync();
        await using IGrayDatabase database = Open(address);
        GrayVersion version = await database.ReadVersionAsync(default);
        Assert.True(await database.TryChangeAsync(version, Put("T"), default));

        await own.KillAsync();
        await Assert.ThrowsAsync<GrayDatabaseException>(() => database.ReadAsync(default));
        await own.StartAsync();

        Assert.Equal([new GrayRow(GrayRowKind.Topic, "T", "1")], (await database.ReadAsync(default)).Rows);
    }

    [Fact]
    public async Task Change_WhileAnotherHoldsTheState_FailsInTimeAndChangesNothing()
    {
        string address = await NewAddressAsync();
        await using IGrayDatabase database = Open(address);
        GrayVersion version = await database.ReadVersionAsync(default);
        await using NpgsqlConnection holder = postgres.Server.ConnectionTo(address);
        await holder.OpenAsync();
        await using NpgsqlTransaction held = await holder.BeginTransactionAsync();
        await using var take = new NpgsqlCommand("SELECT 1 FROM gray_state FOR UPDATE", holder, held);
        await take.ExecuteNonQueryAsync();

        GrayDatabaseException error = await Assert.ThrowsAsync<GrayDatabaseException>(() => database.TryChangeAsync(version, Put("T"), default));
        Assert.False(error.MayHaveChanged);
        await held.RollbackAsync();

        Assert.Equal(version, await database.ReadVersionAsync(default));
    }

    // As one that was made a standby, or whose operator stops writes before its disk is full.
    [Fact]
    public async Task Database_ThatTakesNoWrites_GivesWhatItHasAndRefusesChanges()
    {
        string address = await NewAddressAsync();
        await using IGrayDatabase before = Open(address);
        GrayVersion version = await before.ReadVersionAsync(default);
        Assert.True(await before.TryChangeAsync(version, Put("T"), default));
        await using NpgsqlConnection connection = postgres.Server.ConnectionTo(address);
        await ExecuteAsync(address, $"ALTER DATABASE \"{connection.Database}\" SET default_transaction_read_only = on");

        await using IGrayDatabase database = Open(address);
        GrayContents contents = await database.ReadAsync(default);
        Assert.Equal([new GrayRow(GrayRowKind.Topic, "T", "1")], contents.Rows);
        GrayDatabaseException error = await Assert.ThrowsAsync<GrayDatabaseException>(
            () => database.TryChangeAsync(contents.Version, Put("U"), default));
        Assert.False(error.MayHaveChanged);
        Assert.Contains("read-only", error.Message, StringComparison.Ordinal);
        Assert.Equal(contents.Version, await database.ReadVersionAsync(default));
    }

    [Theory]
    [InlineData("user", "password")]
    [InlineData("database", "no such database")]
    public async Task Address_ThatIsWrong_IsToldWithoutThePassword(string what, string expected)
    {
        string address = await NewAddressAsync();
        string wrong = what == "user"
            ? address.Replace(PostgresServer.User + ":", "nobody:", StringComparison.Ordinal)
            : address.Replace("localhost/gray", "localhost/nothing", StringComparison.Ordinal);
        await using IGrayDatabase database = Open(wrong);

        GrayDatabaseException error = await Assert.ThrowsAsync<GrayDatabaseException>(() => database.ReadAsync(default));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(PostgresServer.Password, error.Message, StringComparison.Ordinal);
    }

    protected override Task<string> NewAddressAsync() => postgres.Server.NewDatabaseAsync();

    internal override IGrayDatabase Open(string address, Action<string>? afterStatement = null) =>
        new PostgresGrayDatabase(GrayDatabaseAddress.Parse(address).Address!, TimeSpan.FromSeconds(5), afterStatement);

    protected override async Task ExecuteAsync(string address, string statement)
    {
        await using NpgsqlConnection connection = postgres.Server.ConnectionTo(address);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }
}
