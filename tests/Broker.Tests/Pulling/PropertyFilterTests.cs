using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Pulling;

/// <summary>Consumers that filter by conditions on properties.</summary>
public sealed class PropertyFilterTests
{
    private const string Topic = "Trades";
    private const long LongMs = 60_000;

    [Theory]
    [InlineData("SQL92", "messageType = 'paid' AND amount > 10", "m2")]
    [InlineData("HEADER", "messageType == 'paid' && amount > 10", "m2")]
    [InlineData("SQL92", "amount >= 0", "m1,m2,m3")]
    [InlineData("HEADER", "messageType != 'paid'", "m3,m4")]
    public async Task Pull_BySubscriptionOfTheHeartbeat_GetsWhatMatches(string type, string expression, string bodies)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await SubscribeAsync(peer, type, expression);

        RemotingCommand reply = await peer.PullAsync(Pulls.Header(Topic, 0, expression: null));

        Pulls.Answered(reply, ResponseCode.Success, next: 4, min: 0, max: 4);
        Assert.Equal(bodies.Split(','), Pulls.Bodies(reply));
    }

    [Fact]
    public async Task Pull_NothingMatches_IsSentBehindIt()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await SubscribeAsync(peer, "SQL92", "amount > 1000");

        RemotingCommand reply = await peer.PullAsync(Pulls.Header(Topic, 0, expression: null));

        Pulls.Answered(reply, ResponseCode.PullRetryImmediately, next: 4, min: 0, max: 4);
    }

    [Theory]
    [InlineData("SQL92", "amount >")]
    [InlineData("HEADER", "amount = 1")]
    public async Task Pull_SubscriptionThatDoesNotParse_IsToldWhere(string type, string expression)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await SubscribeAsync(peer, type, expression);

        RemotingCommand byHeartbeat = await peer.PullAsync(Pulls.Header(Topic, 0, expression: null));
        RemotingCommand byRequest = await peer.AskAsync(
            RequestCode.LitePullMessage, Pulls.Header(Topic, 0, expression: expression) with { ExpressionType = Encoding.UTF8.GetBytes(type) });
        RemotingCommand byPop = await peer.PopAsync(
            Pops.Header(Topic) with { ExpressionType = Encoding.UTF8.GetBytes(type), Expression = Encoding.UTF8.GetBytes(expression) });

        Assert.All([byHeartbeat, byRequest, byPop], reply =>
        {
            Assert.Equal(ResponseCode.SubscriptionParseFailed, reply.ResponseCode);
            Assert.Matches("column [0-9]+: expected", reply.Remark);
        });
    }

    [Fact]
    public async Task Pop_ByCondition_GetsWhatMatches()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);

        List<Popped> taken = await peer.TakeAsync(
            Pops.Header(Topic) with { ExpressionType = "SQL92"u8.ToArray(), Expression = "amount BETWEEN 5 AND 20"u8.ToArray() }, 2);

        Assert.Equal(["m1", "m2"], taken.Select(message => message.Body).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Parked_MessageThatDoesNotMatch_GoesOnWaiting()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await SubscribeAsync(peer, "SQL92", "amount > 100");

        Task<RemotingCommand> parked = await peer.ParkAsync(Pulls.Header(Topic, 4, expression: null, suspendMs: LongMs));
        await StoreAsync(peer, "small", ("amount", "1"));
        await peer.DispatchedAsync(Topic, 5);
        await StoreAsync(peer, "large", ("amount", "101"));

        // Had the first message woken it, it would have been told to go on behind that one.
        RemotingCommand reply = await parked;
        Pulls.Answered(reply, ResponseCode.Success, next: 6, min: 0, max: 6);
        Assert.Equal(["large"], Pulls.Bodies(reply));
    }

    [Fact]
    public async Task Pull_FilterSwitchedOff_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("enablePropertyFilter", "false"));
        Peer peer = await StartAsync(broker);
        await SubscribeAsync(peer, "SQL92", "amount > 10");

        RemotingCommand reply = await peer.PullAsync(Pulls.Header(Topic, 0, expression: null));

        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        Assert.Equal("The broker does not support consumer to filter message by SQL92", reply.Remark);
    }

    private static async Task<Peer> StartAsync(RunningBroker broker)
    {
        Peer peer = broker.Connect("c");
        Assert.Equal(ResponseCode.Success, (await peer.CreateTopicAsync(Topic, 1)).ResponseCode);
        await StoreAsync(peer, "m1", ("messageType", "paid"), ("amount", "5"));
        await StoreAsync(peer, "m2", ("messageType", "paid"), ("amount", "20"));
        await StoreAsync(peer, "m3", ("messageType", "sent"), ("amount", "300"));
        await StoreAsync(peer, "m4", ("amount", "none"));
        await peer.DispatchedAsync(Topic, 4);
        return peer;
    }

    private static async Task StoreAsync(Peer peer, string body, params (string Name, string Value)[] properties)
    {
        RemotingCommand reply = await peer.SendAsync(Sends.Header(Topic, 0, Sends.Properties(properties)), body);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }

    private static async Task SubscribeAsync(Peer peer, string type, string expression) => await peer.HeartbeatAsync(
        Pulls.Group, [new SubscriptionData { Topic = Topic, SubString = expression, ExpressionType = type, SubVersion = 1 }]);
}
