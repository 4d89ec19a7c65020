using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Databases;

namespace GrayMQ.NameServer.Tests.Gray;

/// <summary>What every database of the gray state promises. The same tests run on each.</summary>
public abstract class GrayDatabaseContract
{
    private static readonly GrayAudit Audit = new(1_000, "ann@host", "10.0.0.1:5", "T", "{}", "something was changed");

    /// <summary>The text of grayDatabase: a database that nobody has used.</summary>
    protected abstract Task<string> NewAddressAsync();

    /// <summary>The database as a name server opens it.</summary>
    internal abstract IGrayDatabase Open(string address, Action<string>? afterStatement = null);

    [Fact]
    public async Task NewDatabase_IsEmpty_AndKeepsItsEpoch()
    {
        string address = await NewAddressAsync();
        GrayVersion first;
        await using (IGrayDatabase database = Open(address))
        {
            GrayContents contents = await database.ReadAsync(default);
            first = contents.Version;
            Assert.Equal(0, first.Version);
            Assert.False(first.IsNone);
            Assert.Empty(contents.Rows);
            Assert.Empty(contents.Parts);
            Assert.Empty(contents.Brokers);
        }

        await using IGrayDatabase again = Open(address);
        Assert.Equal(first, await again.ReadVersionAsync(default));
        Assert.True(again.Exists);
    }

    [Fact]
    public async Task NewDatabases_HaveDifferentEpochs()
    {
        await using IGrayDatabase one = Open(await NewAddressAsync());
        await using IGrayDatabase other = Open(await NewAddressAsync());

        Assert.NotEqual((await one.ReadVersionAsync(default)).Epoch, (await other.ReadVersionAsync(default)).Epoch);
    }

    [Fact]
    public async Task Change_OfTheVersionThatIsThere_IsSeenWholeByTheOther()
    {
        string address = await NewAddressAsync();
        await using IGrayDatabase one = Open(address);
        await using IGrayDatabase other = Open(address);
        GrayVersion version = await one.ReadVersionAsync(default);

        Assert.True(await one.TryChangeAsync(
            version,
            new GrayRowChanges
            {
                Put = [new(GrayRowKind.Topic, "T", "\"t\""), new(GrayRowKind.Change, "topic:T", "\"c\"")],
                Owed = [("topic:T", "a"), ("topic:T", "b")],
                Audit = Audit,
            },
            default));

        GrayContents seen = await other.ReadAsync(default);
        Assert.Equal(version with { Version = 1 }, seen.Version);
        Assert.Equal([new(GrayRowKind.Change, "topic:T", "\"c\""), new(GrayRowKind.Topic, "T", "\"t\"")], seen.Rows);
        Assert.Equal([new("topic:T", 1, "a", false), new("topic:T", 1, "b", false)], seen.Parts);
        GrayAuditRow written = Assert.Single(await other.ReadHistoryAsync(null, 0, 10, default));
        Assert.Equal(new GrayAuditRow(seen.Version, Audit), written);
    }

    [Fact]
    public async Task Change_OfAnotherVersionOrEpoch_ChangesNothing()
    {
        await using IGrayDatabase database = Open(await NewAddressAsync());
        GrayVersion version = await database.ReadVersionAsync(default);
        await ChangeAsync(database, version, "T");
        GrayContents before = await database.ReadAsync(default);

        Assert.False(await database.TryChangeAsync(version, Put("U"), default));
        Assert.False(await database.TryChangeAsync(before.Version with { Epoch = "other" }, Put("U"), default));
        Assert.False(await database.TryBeginEpochAsync(version, Audit, default));

        GrayContents after = await database.ReadAsync(default);
        Assert.Equal(before.Version, after.Version);
        Assert.Equal(before.Rows, after.Rows);
        Assert.Single(await database.ReadHistoryAsync(null, 0, 10, default));
    }

    [Fact]
    public async Task Changes_AtOnceFromMany_AllBecomeOneLine()
    {
        string address = await NewAddressAsync();
        const int Writers = 4;
        const int Each = 10;
        await using IGrayDatabase first = Open(address);
        await first.ReadVersionAsync(default);

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            await using IGrayDatabase database = Open(address);
            for (int i = 0; i < Each; i++)
            {
                GrayVersion version = await database.ReadVersionAsync(default);
                while (!await database.TryChangeAsync(version, Put($"{writer}-{i}"), default))
                {
                    version = await database.ReadVersionAsync(default);
                }
            }
        })));

        GrayContents contents = await first.ReadAsync(default);
        Assert.Equal(Writers * Each, contents.Version.Version);
        Assert.Equal(Writers * Each, contents.Rows.Count);
        IReadOnlyList<GrayAuditRow> history = await first.ReadHistoryAsync(null, 0, 1_000, default);
        Assert.Equal(Enumerable.Range(1, Writers * Each).Select(i => (long)i).Reverse(), history.Select(row => row.Version.Version));
    }

    [Fact]
    public async Task Rows_PutAgainAndRemoved_AreReplacedAndGone()
    {
        await using IGrayDatabase database = Open(await NewAddressAsync());
        GrayVersion version = await ChangeAsync(database, await database.ReadVersionAsync(default), "T");
        version = await ChangeAsync(database, version, "U");

        Assert.True(await database.TryChangeAsync(
            version, new GrayRowChanges { Remove = [(GrayRowKind.Topic, "U")], Put = [new(GrayRowKind.Topic, "T", "2")], Audit = Audit }, default));

        Assert.Equal([new GrayRow(GrayRowKind.Topic, "T", "2")], (await database.ReadAsync(default)).Rows);
    }

    [Fact]
    public async Task Parts_Noted_StayDone_UntilTheirChangeEnds()
    {
        await using IGrayDatabase database = Open(await NewAddressAsync());
        GrayVersion version = await BeginAsync(database, await database.ReadVersionAsync(default), "a", "b");

        await database.NoteAsync([new("c", 1, "a", true), new("c", 1, "late", false)], default);
        await database.NoteAsync([new("c", 1, "a", false)], default);

        Assert.Equal(
            [new("c", 1, "a", true), new("c", 1, "b", false), new("c", 1, "late", false)], (await database.ReadAsync(default)).Parts);
        Assert.Equal(version, await database.ReadVersionAsync(default));
        Assert.True(await database.TryChangeAsync(version, End(), default));
        await database.NoteAsync([new("c", 1, "b", true)], default);
        Assert.Empty((await database.ReadAsync(default)).Parts);
    }

    [Fact]
    public async Task Part_OfAnEarlierChangeOfTheName_IsNotTaken()
    {
        await using IGrayDatabase database = Open(await NewAddressAsync());
        GrayVersion version = await BeginAsync(database, await database.ReadVersionAsync(default), "a");
        Assert.True(await database.TryChangeAsync(version, End(), default));
        await BeginAsync(database, version with { Version = 2 }, "a");

        await database.NoteAsync([new("c", 1, "a", true)], default);

        Assert.Equal([new("c", 3, "a", false)], (await database.ReadAsync(default)).Parts);
    }

    [Fact]
    public async Task Epoch_BegunAnew_HasTheNextVersionAndKeepsTheRows()
    {
        await using IGrayDatabase database = Open(await NewAddressAsync());
        GrayVersion version = await ChangeAsync(database, await database.ReadVersionAsync(default), "T");

        Assert.True(await database.TryBeginEpochAsync(version, Audit, default));

        GrayContents contents = await database.ReadAsync(default);
        Assert.NotEqual(version.Epoch, contents.Version.Epoch);
        Assert.Equal(2, contents.Version.Version);
        Assert.Single(contents.Rows);
        Assert.Equal(2, (await database.ReadHistoryAsync(null, 0, 10, default)).Count);
    }

    [Fact]
    public async Task History_IsReadBySubjectAndInPages()
    {
        await using IGrayDatabase database = Open(await NewAddressAsync());
        GrayVersion version = await database.ReadVersionAsync(default);
        foreach (string subject in (string[])["T", "U", "T", "T"])
        {
            Assert.True(await database.TryChangeAsync(version, Put("T") with { Audit = Audit with { Subject = subject } }, default));
            version = version with { Version = version.Version + 1 };
        }

        Assert.Equal([4L, 3L], await VersionsAsync("T", 0, 2));
        Assert.Equal([1L], await VersionsAsync("T", 3, 2));
        Assert.Equal([2L], await VersionsAsync("U", 0, 10));
        Assert.Equal([4L, 3L, 2L, 1L], await VersionsAsync(null, 0, 10));

        async Task<IEnumerable<long>> VersionsAsync(string? subject, long before, int max) =>
            (await database.ReadHistoryAsync(subject, before, max, default)).Select(row => row.Version.Version);
    }

    [Fact]
    public async Task Brokers_NotedTwice_AreThereOnce_UntilTheyAreForgotten()
    {
        await using IGrayDatabase database = Open(await NewAddressAsync());

        GrayVersion version = await database.ReadVersionAsync(default);
        foreach (string broker in (string[])["b", "a", "b"])
        {
            Assert.True(await database.TryChangeAsync(version, new GrayRowChanges { Know = [broker], Audit = Audit }, default));
            version = version with { Version = version.Version + 1 };
        }

        GrayContents contents = await database.ReadAsync(default);
        Assert.Equal(version, contents.Version);
        Assert.Equal(["a", "b"], contents.Brokers);
        Assert.True(await database.TryChangeAsync(contents.Version, Put("T") with { Forget = ["a"] }, default));
        Assert.Equal(["b"], (await database.ReadAsync(default)).Brokers);
    }

    /// <summary>A name server that ends between any two statements leaves the state before the change, from which another goes on.</summary>
    [Fact]
    public async Task ServerEnds_AfterAnyStatementOfAChange_OtherGoesOnFromTheStateBefore()
    {
        string address = await NewAddressAsync();
        await using IGrayDatabase other = Open(address);
        GrayVersion version = await BeginAsync(other, await other.ReadVersionAsync(default), "a");
        GrayContents before = await other.ReadAsync(default);
        var change = new GrayRowChanges
        {
            Remove = [(GrayRowKind.Change, "c")],
            Put = [new(GrayRowKind.Topic, "T", "1"), new(GrayRowKind.Change, "d", "1")],
            Owed = [("d", "a"), ("d", "b")],
            Forget = ["x"],
            Know = ["y"],
            Audit = Audit,
        };
        int broken = 0;
        for (int after = 1; ; after++)
        {
            int left = after;
            bool armed = false;
            await using IGrayDatabase dying = Open(address, _ =>
            {
                if (armed && --left == 0)
                {
                    throw new IOException("the process ended here");
                }
            });
            await dying.ReadVersionAsync(default);
            armed = true;
            try
            {
                Assert.True(await dying.TryChangeAsync(version, change, default));
                break;
            }
            catch (GrayDatabaseException e)
            {
                broken++;
                Assert.False(e.MayHaveChanged);
                GrayContents seen = await other.ReadAsync(default);
                Assert.Equal(before.Version, seen.Version);
                Assert.Equal(before.Rows, seen.Rows);
                Assert.Equal(before.Parts, seen.Parts);
                Assert.Single(await other.ReadHistoryAsync(null, 0, 10, default));
            }
        }

        // Version, row and parts removed, two rows put, two parts owed, a broker forgotten, another known, the audit, and an old one forgotten.
        Assert.Equal(11, broken);
        Assert.Equal(version with { Version = 2 }, await other.ReadVersionAsync(default));
    }

    [Fact]
    public async Task TablesOfALaterVersion_AreLeftAlone()
    {
        string address = await NewAddressAsync();
        await using (IGrayDatabase database = Open(address))
        {
            await database.ReadVersionAsync(default);
        }

        await ExecuteAsync(address, "UPDATE gray_state SET schema = 99");
        await using IGrayDatabase earlier = Open(address);

        GrayDatabaseException error = await Assert.ThrowsAsync<GrayDatabaseException>(() => earlier.ReadAsync(default));
        Assert.Contains("tables of version 99", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Runs a statement beside the servers.</summary>
    protected abstract Task ExecuteAsync(string address, string statement);

    internal static GrayRowChanges Put(string topic) => new() { Put = [new(GrayRowKind.Topic, topic, "1")], Audit = Audit };

    private static GrayRowChanges End() => new() { Remove = [(GrayRowKind.Change, "c")], Audit = Audit };

    private static async Task<GrayVersion> ChangeAsync(IGrayDatabase database, GrayVersion version, string topic)
    {
        Assert.True(await database.TryChangeAsync(version, Put(topic), default));
        return version with { Version = version.Version + 1 };
    }

    private static async Task<GrayVersion> BeginAsync(IGrayDatabase database, GrayVersion version, params string[] brokers)
    {
        Assert.True(await database.TryChangeAsync(
            version,
            new GrayRowChanges
            {
                Put = [new(GrayRowKind.Change, "c", "1")],
                Owed = [.. brokers.Select(broker => ("c", broker))],
                Audit = Audit,
            },
            default));
        return version with { Version = version.Version + 1 };
    }
}
