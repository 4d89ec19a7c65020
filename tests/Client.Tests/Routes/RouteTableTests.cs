using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Tests.Routes;

public sealed class RouteTableTests : IAsyncLifetime
{
    private ScriptedNameServer _nameServer = null!;
    private ScriptedBroker _broker = null!;
    private ClientSession _session = null!;

    public async ValueTask InitializeAsync()
    {
        _nameServer = await ScriptedNameServer.StartAsync();
        _broker = await ScriptedBroker.StartAsync("b");
        _session = NewSession(TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync();
        await _broker.DisposeAsync();
        await _nameServer.DisposeAsync();
    }

    [Fact]
    public async Task FindAsync_ManyAtOnce_AskOnce()
    {
        _nameServer.With("t", 4, _broker);

        TopicRoute?[] routes = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => Task.Run(async () => await _session.Routes.FindAsync("t", default))));

        Assert.All(routes, route => Assert.Equal(4, route!.WritableQueues.Length));
        Assert.InRange(_nameServer.Asked, 1, 5);
    }

    [Fact]
    public async Task FindAsync_NameServerHasJustComeBack_AsksAnother()
    {
        await using ScriptedNameServer other = await ScriptedNameServer.StartAsync();
        _nameServer.IsNotReady = true;
        other.With("t", 4, _broker);
        await using var session = new ClientSession(
            new ProducerOptions { NameServers = $"{_nameServer.Address};{other.Address}" },
            "id",
            new RequestTable(),
            NullLoggerFactory.Instance,
            TimeProvider.System);

        // Whichever is the first to be asked.
        Assert.Equal(4, (await session.Routes.FindAsync("t", default))!.WritableQueues.Length);
        other.IsNotReady = true;
        _nameServer.IsNotReady = false;
        _nameServer.With("t", 5, _broker);
        Assert.Equal(5, (await session.Routes.RefreshAsync("t", default))!.WritableQueues.Length);
    }

    [Fact]
    public async Task FindAsync_ManyAreRefusedAtOnce_AllAskTheOther()
    {
        string[] topics = [.. Enumerable.Range(0, 500).Select(i => $"t{i}")];
        await using ScriptedNameServer other = await ScriptedNameServer.StartAsync();
        foreach (string topic in topics)
        {
            other.With(topic, 4, _broker);
        }

        // The one that is going to refuse is the first to be asked.
        _nameServer.With("first", 4, _broker);
        other.IsNotReady = true;
        await using var session = new ClientSession(
            new ProducerOptions { NameServers = $"{_nameServer.Address};{other.Address}" },
            "id",
            new RequestTable(),
            NullLoggerFactory.Instance,
            TimeProvider.System);
        await session.Routes.FindAsync("first", default);
        other.IsNotReady = false;
        _nameServer.IsNotReady = true;
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _nameServer.Held = held.Task;
        int before = _nameServer.Asked;

        Task<TopicRoute?[]> routes = Task.WhenAll(topics.Select(topic => session.Routes.FindAsync(topic, default).AsTask()));
        await Eventually.TrueAsync(() => _nameServer.Asked == before + topics.Length, "all questions");
        held.SetResult();

        Assert.All(await routes, Assert.NotNull);
    }

    [Fact]
    public async Task RefreshAsync_NoNameServerGivesOutRoutes_KeepsWhatIsKnown()
    {
        _nameServer.With("t", 4, _broker);
        await _session.Routes.FindAsync("t", default);
        _nameServer.IsNotReady = true;

        Assert.Equal(4, (await _session.Routes.RefreshAsync("t", default))!.WritableQueues.Length);
        var failure = await Assert.ThrowsAsync<NameServersUnavailableException>(() => _session.Routes.RefreshAsync("unknown", default));
        Assert.Equal("name server not ready", Assert.IsType<BrokerException>(failure.InnerException).Remark);
    }

    [Fact]
    public async Task RefreshAsync_SameRoute_IsNoChange()
    {
        _nameServer.With("t", 4, _broker);
        var changed = new List<string>();
        _session.Routes.Changed += changed.Add;

        await _session.Routes.RefreshAsync("t", default);
        await _session.Routes.RefreshAsync("t", default);
        _nameServer.With("t", 5, _broker);
        await _session.Routes.RefreshAsync("t", default);

        Assert.Equal(["t", "t"], changed);
        Assert.Equal([_broker.Address], _session.Routes.BrokerAddresses(mastersOnly: true));
    }

    [Fact]
    public async Task RefreshAsync_AnotherBrokerComes_ItIsNewAndTheFirstIsNot()
    {
        await using ScriptedBroker other = await ScriptedBroker.StartAsync("new");
        _nameServer.With("t", 4, _broker);
        await _session.Routes.FindAsync("t", default);
        Assert.False(_session.Routes.Arrivals.Any);

        _nameServer.With("t", 4, _broker, other);
        await _session.Routes.RefreshAsync("t", default);

        Assert.NotNull(_session.Routes.Arrivals.AgeOf(new("t", "new", 0)));
        Assert.Null(_session.Routes.Arrivals.AgeOf(new("t", "b", 0)));
    }

    [Fact]
    public async Task RefreshAsync_BrokerThatLeftIsBackForWriting_IsNotTakenToLeaveAnyMore()
    {
        // By a clock that stands: a question that is not answered in time leaves the route as it is.
        await using ClientSession session = NewSession(new ManualTime());
        await using ScriptedBroker other = await ScriptedBroker.StartAsync("back");
        _nameServer.With("t", 4, _broker, other);
        await session.Routes.FindAsync("t", default);
        session.Leaving.Tell("back", leaving: true);
        _nameServer.With("t", 4, _broker);
        await session.Routes.RefreshAsync("t", default);
        Assert.True(session.Leaving.Contains("back"));

        _nameServer.With("t", 4, _broker, other);
        await session.Routes.RefreshAsync("t", default);

        Assert.False(session.Leaving.Contains("back"));
    }

    [Fact]
    public async Task RefreshAsync_TopicIsGone_KeepsWhatIsKnown()
    {
        _nameServer.With("t", 4, _broker);
        await _session.Routes.FindAsync("t", default);
        _nameServer.Without("t");

        Assert.NotNull(await _session.Routes.RefreshAsync("t", default));
        Assert.Null(await _session.Routes.RefreshAsync("never", default));
    }

    [Fact]
    public async Task FindForSendingAsync_ProvisionalRoute_GivesWayToTheRealOne()
    {
        _nameServer.With("TBW102", 8, _broker);
        TopicRoute provisional = await _session.Routes.FindForSendingAsync("new", "TBW102", 4, default);
        Assert.True(provisional.IsProvisional);
        _nameServer.With("new", 6, _broker);

        TopicRoute? real = await _session.Routes.RefreshAsync("new", default);

        Assert.False(real!.IsProvisional);
        Assert.Equal(6, (await _session.Routes.FindForSendingAsync("new", "TBW102", 4, default)).WritableQueues.Length);
    }

    private ClientSession NewSession(TimeProvider time) => new(
        new ProducerOptions { NameServers = _nameServer.Address }, "id", new RequestTable(), NullLoggerFactory.Instance, time);
}
