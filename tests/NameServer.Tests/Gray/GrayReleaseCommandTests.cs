using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;

namespace GrayMQ.NameServer.Tests.Gray;

public sealed class GrayReleaseCommandTests : IAsyncLifetime
{
    private static readonly GrayCommand Open = new() { Action = GrayAction.Open, Group = "G" };
    private static readonly GrayCommand Promote = new() { Action = GrayAction.Promote, Group = "G" };
    private static readonly GrayCommand Withdraw = new() { Action = GrayAction.Withdraw, Group = "G", SkipLeftover = false };
    private static readonly GrayCommand Cancel = new() { Action = GrayAction.Cancel, Group = "G" };
    private static readonly GrayCommand Force = new() { Action = GrayAction.Force, Group = "G" };

    private TestNameServer _server = null!;
    private WireBroker _a = null!;
    private WireBroker _b = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestNameServer.StartAsync();
        _a = await WireBroker.StartAsync("a");
        _b = await WireBroker.StartAsync("b");
        foreach (WireBroker broker in (WireBroker[])[_a, _b])
        {
            await broker.RegisterAsync(_server, 6, "T", "U");
            await broker.AskAsync(_server);
            broker.SetSides("G", ("v1", false, "*"), ("v2", true, "*"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Release_IsOpenedOnce_AndCountsGenerations()
    {
        await _server.ChangeSuccessfullyAsync(Open);
        await _server.RefusesAsync(Open, "release 1 of group G is open already");
        await _server.ChangeSuccessfullyAsync(Promote);
        await _a.ReportAsync(_server);
        await _b.ReportAsync(_server);
        await _server.ChangeSuccessfullyAsync(Open);

        Assert.Equal((2, GrayReleaseState.Open), (await ReleaseAsync()) is var release ? (release.Generation, release.State) : default);
    }

    [Fact]
    public async Task Release_OfAGroupThatNobodyKnows_IsRefused()
    {
        await _server.RefusesAsync(Open with { Group = "H" }, "group H does not exist", ResponseCode.SubscriptionGroupNotExist);
        await _server.RefusesAsync(Open with { Producer = true }, "producer group G has no producer", ResponseCode.ConsumerNotOnline);
        _a.Producers["P"] = ["p1"];
        await _server.ChangeSuccessfullyAsync(Open with { Group = "P", Producer = true });
        Assert.Equal(GrayReleaseKind.Producer, (await _server.SnapshotAsync())!.Releases[0].Kind);
    }

    [Fact]
    public async Task Release_WhereABrokerCannotHonourIt_IsRefused()
    {
        await using WireBroker other = await WireBroker.StartAsync("stock");
        await other.RegisterAsync(_server, 6, "T", "U");

        await _server.RefusesAsync(Open, "broker stock has never asked for the gray state");
        Assert.Empty((await _server.SnapshotAsync())!.Releases);
    }

    [Fact]
    public async Task Release_WithoutAnyBroker_IsRefused()
    {
        await using TestNameServer lonely = await TestNameServer.StartAsync();

        await lonely.RefusesAsync(Open, "no broker is registered");
    }

    [Fact]
    public async Task Rules_AreAddedAndRemoved_AndHeldAgainstTheirForm()
    {
        var glob = new GrayCommand { Action = GrayAction.AddRule, Group = "G", ClientGlob = "v2-*" };
        await _server.RefusesAsync(glob, "has no open release");
        await _server.ChangeSuccessfullyAsync(Open);
        await _server.ChangeSuccessfullyAsync(glob);
        await _server.RefusesAsync(glob, "has this rule already");
        await _server.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.AddRule, Group = "G", Address = "10.1.0.0/16" });
        await _server.RefusesAsync(
            new GrayCommand { Action = GrayAction.AddRule, Group = "G", Address = "10.1.0.0/99" }, "10.1.0.0/99", ResponseCode.InvalidParameter);
        await _server.RefusesAsync(new GrayCommand { Action = GrayAction.AddRule, Group = "G" }, "a rule has", ResponseCode.InvalidParameter);
        await _server.RefusesAsync(glob with { Address = "10.1.2.3" }, "a rule has", ResponseCode.InvalidParameter);
        Assert.Equal(2, (await ReleaseAsync()).Rules.Count);

        await _server.ChangeSuccessfullyAsync(glob with { Action = GrayAction.RemoveRule });
        await _server.RefusesAsync(glob with { Action = GrayAction.RemoveRule }, "has no rule client id v2-*");
        Assert.Equal("10.1.0.0/16", Assert.Single((await ReleaseAsync()).Rules).Pattern);
    }

    [Fact]
    public async Task Flag_OfAClientThatNeverCame_IsRefused()
    {
        await _server.RefusesAsync(Set("v3", true), "client v3 of group G is not connected: v1, v2 are", ResponseCode.ConsumerNotOnline);
        Assert.Empty((await _server.SnapshotAsync())!.Releases);
    }

    [Fact]
    public async Task Flag_OpensAReleaseWhereNoneIsOpen()
    {
        await _server.ChangeSuccessfullyAsync(Set("v2", true));

        GrayRelease release = await ReleaseAsync();
        Assert.Equal((GrayReleaseState.Open, Side.Gray), (release.State, release.Clients["v2"]));
        Assert.Contains("already", await _server.ChangeSuccessfullyAsync(Set("v2", true)), StringComparison.Ordinal);
        Assert.Equal(release, await ReleaseAsync());
    }

    [Fact]
    public async Task LastGrayClient_SetBack_IsDrainedFirst()
    {
        _a.SetSides("G", ("v1", false, "*"), ("v2", true, "*"), ("v3", true, "*"));
        _b.SetSides("G", ("v1", false, "*"), ("v2", true, "*"), ("v3", true, "*"));
        await _server.ChangeSuccessfullyAsync(Set("v2", true));
        await _server.ChangeSuccessfullyAsync(Set("v3", true));

        await _server.ChangeSuccessfullyAsync(Set("v3", false));
        Assert.Equal((GrayReleaseState.Open, Side.Normal), (await ReleaseAsync()) is var one ? (one.State, one.Clients["v3"]) : default);
        _a.SetSides("G", ("v1", false, "*"), ("v2", true, "*"), ("v3", false, "*"));
        _b.SetSides("G", ("v1", false, "*"), ("v2", true, "*"), ("v3", false, "*"));
        await _server.ChangeSuccessfullyAsync(Set("v2", false));

        // It stays gray until it has consumed what is in the gray queues.
        GrayRelease release = await ReleaseAsync();
        Assert.Equal((GrayReleaseState.Promoting, Side.Gray), (release.State, release.Clients["v2"]));
        await _a.ReportAsync(_server);
        await _b.ReportAsync(_server);
        Assert.Equal(GrayReleaseState.Promoted, (await ReleaseAsync()).State);
    }

    [Fact]
    public async Task Flag_OfAClientThatIsGone_DiesWithIt()
    {
        _a.SetSides("G", ("v1", false, "*"), ("v2", true, "*"), ("v3", true, "*"));
        await _server.ChangeSuccessfullyAsync(Set("v2", true));
        _a.SetSides("G", ("v1", false, "*"), ("v3", true, "*"));
        _b.SetSides("G", ("v1", false, "*"), ("v3", true, "*"));

        await _server.ChangeSuccessfullyAsync(Set("v3", true));

        Assert.Equal(["v3"], (await ReleaseAsync()).Clients.Keys);
    }

    [Fact]
    public async Task Promotion_JoinsSidesThatSubscribeAlikeOnly()
    {
        await _server.RefusesAsync(Promote, "has no open release");
        await _server.ChangeSuccessfullyAsync(Open);
        _b.SetSides("G", ("v1", false, "A"), ("v2", true, "A || B"));
        _a.SetSides("G", ("v1", false, "A"), ("v2", true, "A || B"));

        await _server.RefusesAsync(Promote, "of topic T the gray side subscribes to TAG A || B, the normal side to TAG A");
        await _server.ChangeSuccessfullyAsync(Promote with { Replace = true });

        Assert.Equal(
            (GrayReleaseState.Promoting, GrayPromotion.Replace), (await ReleaseAsync()) is var release ? (release.State, release.Promotion) : default);
    }

    [Fact]
    public async Task Replacement_WithoutGrayClients_IsRefused()
    {
        await _server.ChangeSuccessfullyAsync(Open);
        _a.SetSides("G", ("v1", false, "*"));
        _b.SetSides("G", ("v1", false, "*"));

        await _server.RefusesAsync(Promote with { Replace = true }, "has no gray client");
    }

    [Fact]
    public async Task Promotion_EndsOnceWhenEveryBrokerHasReachedItsBoundaries()
    {
        await _server.ChangeSuccessfullyAsync(Open);
        await _server.ChangeSuccessfullyAsync(Promote);
        await _a.ReportAsync(_server);
        await _b.ReportAsync(_server, done: false);
        Assert.Equal(GrayReleaseState.Promoting, (await ReleaseAsync()).State);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _b.ReportAsync(_server)));

        Assert.Equal(GrayReleaseState.Promoted, (await ReleaseAsync()).State);
        Assert.Single(await _server.HistoryAsync(), entry => entry.Summary == "release 1 of group G is promoted");
    }

    [Fact]
    public async Task Promotion_IsNotEndedByAReportOfAnEarlierCommand()
    {
        await _server.ChangeSuccessfullyAsync(Open);
        await _server.ChangeSuccessfullyAsync(Promote);
        GrayVersion first = (await _server.SnapshotAsync())!.Version;
        await _server.ChangeSuccessfullyAsync(Cancel);
        await _server.ChangeSuccessfullyAsync(Promote);

        await _a.ReportAsync(_server, version: first);
        await _b.ReportAsync(_server, version: first);

        Assert.Equal(GrayReleaseState.Promoting, (await ReleaseAsync()).State);
    }

    [Fact]
    public async Task Changes_OfOneReleaseAtOnce_AreRefused()
    {
        await _server.ChangeSuccessfullyAsync(Open);
        await _server.RefusesAsync(Withdraw with { SkipLeftover = null }, "--leftover");
        await _server.RefusesAsync(Cancel, "nothing is under way");
        await _server.ChangeSuccessfullyAsync(Promote);

        const string Because = "release 1 of group G is being promoted: wait, cancel or force it";
        await _server.RefusesAsync(Promote, Because);
        await _server.RefusesAsync(Withdraw, Because);
        await _server.RefusesAsync(Set("v1", true), Because);
        await _server.RefusesAsync(new GrayCommand { Action = GrayAction.AddRule, Group = "G", ClientGlob = "*" }, Because);
        await _server.RefusesAsync(Open, "release 1 of group G is being promoted already");
        await _server.ChangeSuccessfullyAsync(Cancel);
        Assert.Equal((GrayReleaseState.Open, null), (await ReleaseAsync()) is var release ? (release.State, release.Promotion) : default);
        await _server.ChangeSuccessfullyAsync(Withdraw);
        await _server.RefusesAsync(Promote, "is being withdrawn");
    }

    [Fact]
    public async Task Command_ForAVersionThatIsNoLonger_IsAConflict()
    {
        GrayVersion decidedBy = default;
        await _server.ChangeSuccessfullyAsync(Open);
        decidedBy = (await _server.SnapshotAsync())!.Version;
        await _server.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.AddRule, Group = "G", ClientGlob = "v2-*" });
        var header = new ChangeGrayStateHeader { Epoch = decidedBy.Epoch, Version = decidedBy.Version };

        Assert.Equal(ResponseCode.GrayConflict, (await _server.ChangeAsync(Promote, header)).ResponseCode);
        Assert.Equal(GrayReleaseState.Open, (await ReleaseAsync()).State);
        Assert.Equal(ResponseCode.Success, (await _server.ChangeAsync(Promote, header with { Version = 2 })).ResponseCode);
    }

    [Fact]
    public async Task Force_BeginsAnewWithBrokersThatAreThere_AndGivesUpTheOthers()
    {
        await _server.ChangeSuccessfullyAsync(Open);
        await _b.ReportAsync(_server);
        await _server.ChangeSuccessfullyAsync(Withdraw);
        await _b.DisposeAsync();
        await Eventually.TrueAsync(
            async () => !(await _server.DescribeClustersAsync()).BrokerAddrTable.ContainsKey("b"), "broker b is gone");
        await _a.ReportAsync(_server, done: false);
        Assert.Equal(GrayReleaseState.Withdrawing, (await ReleaseAsync()).State);

        string summary = await _server.ChangeSuccessfullyAsync(Force);

        Assert.Equal("the withdrawal of group G is forced, without b", summary);
        Assert.Equal((GrayReleaseState.Withdrawing, 1L), (await ReleaseAsync()) is var forced ? (forced.State, forced.Forced) : default);
        await _a.ReportAsync(_server);
        Assert.Equal(GrayReleaseState.Withdrawn, (await ReleaseAsync()).State);
    }

    [Fact]
    public async Task Broker_ThatComesLater_OwesToo()
    {
        await _server.ChangeSuccessfullyAsync(Open);
        await _server.ChangeSuccessfullyAsync(Promote);
        await using WireBroker late = await WireBroker.StartAsync("late");
        await late.RegisterAsync(_server, 6, "T", "U");
        await late.ReportAsync(_server, done: false);

        await _a.ReportAsync(_server);
        await _b.ReportAsync(_server);
        Assert.Equal(GrayReleaseState.Promoting, (await ReleaseAsync()).State);
        await late.ReportAsync(_server);
        Assert.Equal(GrayReleaseState.Promoted, (await ReleaseAsync()).State);
    }

    /// <summary>
    /// A broker reports to one name server, and the next moment the other, which has no route to it and has seen nothing new, is told to
    /// promote.
    /// </summary>
    [Fact]
    public async Task Broker_ThatHasReportedElsewhere_IsWaitedFor()
    {
        string setting = "grayDatabase=" + Path.Combine(_server.Folder, "shared.db");
        await using TestNameServer one = await TestNameServer.StartAsync(setting);
        await using TestNameServer other = await TestNameServer.StartAsync(setting);
        await _a.RegisterAsync(other, 6, "T", "U");
        await _a.AskAsync(other);
        await _a.ReportAsync(other);
        await other.ChangeSuccessfullyAsync(Open);
        await Eventually.TrueAsync(
            async () =>
            {
                one.Time.Advance(TimeSpan.FromSeconds(1));
                return await one.SnapshotAsync() is { Releases.Count: 1 };
            },
            "the first name server has seen the release");
        await _b.ReportAsync(one);

        await other.ChangeSuccessfullyAsync(Promote);

        Assert.Equal(["a", "b"], Assert.Single((await other.StatusAsync()).Changes).Parts.Select(part => part.Broker));
    }

    private static GrayCommand Set(string client, bool gray) =>
        new() { Action = GrayAction.SetClient, Group = "G", Client = client, Gray = gray };

    private async Task<GrayRelease> ReleaseAsync() => Assert.Single((await _server.SnapshotAsync())!.Releases);
}
