using System.Globalization;
using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Filtering;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Filtering;

/// <summary>Subscriptions by conditions, indexed: the answers are those of evaluating, and messages are not looked at to get them.</summary>
public sealed class FilterIndexTests
{
    private const string Topic = "Trades";
    private const long LongMs = 60_000;

    [Fact]
    public async Task Pull_MessagesThatCameAfterTheSubscription_AreNotLookedAt()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync(Pulls.Group, Topic, "messageType = 'paid' AND amount > 10");

        await peer.StoreTradesAsync(Topic, ("m1", "paid", 5), ("m2", "paid", 20), ("m3", "sent", 30));
        await peer.AnsweredAsync(Topic, 3);

        Assert.Equal(["m2"], await peer.PullBodiesAsync(Pulls.Group, Topic));
        FilterStats stats = await peer.FiltersAsync(Topic);
        Assert.Equal((1, 1, 0), (stats.Subscriptions, stats.Expressions, stats.NotIndexed));
        Assert.Equal((3, 1, 0), (stats.Messages, stats.Matches, stats.LookedAt));
    }

    [Fact]
    public async Task Pull_MessagesFromBeforeTheSubscription_AreLookedAt()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.StoreTradesAsync(Topic, ("m1", "paid", 5), ("m2", "paid", 20));
        await peer.SubscribeAsync(Pulls.Group, Topic, "amount > 10");

        await peer.StoreTradesAsync(Topic, ("m3", "sent", 30));
        await peer.AnsweredAsync(Topic, 1);

        Assert.Equal(["m2", "m3"], await peer.PullBodiesAsync(Pulls.Group, Topic));
        Assert.Equal(2, (await peer.FiltersAsync(Topic)).LookedAt);
    }

    [Fact]
    public async Task Pull_SubscriptionThatChanges_GetsWhatItAsksForNow()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync(Pulls.Group, Topic, "messageType = 'paid'", version: 1);
        await peer.StoreTradesAsync(Topic, ("m1", "paid", 1), ("m2", "sent", 2));
        await peer.SubscribeAsync(Pulls.Group, Topic, "messageType = 'sent'", version: 2);
        await peer.StoreTradesAsync(Topic, ("m3", "paid", 3), ("m4", "sent", 4));
        await peer.SubscribeAsync(Pulls.Group, Topic, "messageType = 'paid'", version: 3);
        await peer.StoreTradesAsync(Topic, ("m5", "paid", 5), ("m6", "sent", 6));

        Assert.Equal(["m1", "m3", "m5"], await peer.PullBodiesAsync(Pulls.Group, Topic));
        Assert.Equal(["m2", "m4", "m6"], await peer.PullBodiesAsync(Pulls.Group, Topic, "messageType = 'sent'"));
        Assert.Equal(1, (await peer.FiltersAsync(Topic)).Expressions);
    }

    [Fact]
    public async Task Subscriptions_WrittenAlike_AreOneExpression()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync("G1", Topic, "amount > 10");
        await peer.SubscribeAsync("G2", Topic, "amount > 10");
        await peer.SubscribeAsync("G3", Topic, "amount > 10", type: "HEADER");

        FilterStats stats = await peer.FiltersAsync(Topic);

        Assert.Equal((3, 2), (stats.Subscriptions, stats.Expressions));
    }

    [Fact]
    public async Task Parked_ManyGroups_OnlyThoseWhoseMessageComesAreAnswered()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        Task<RemotingCommand>[] parked = new Task<RemotingCommand>[20];
        for (int i = 0; i < parked.Length; i++)
        {
            await peer.SubscribeAsync($"G{i}", Topic, $"messageType = 'type{i}'");
            parked[i] = await peer.ParkAsync(HeaderOf($"G{i}", suspendMs: LongMs));
        }

        // The last ones to subscribe are known to the index only now that they all wait.
        await peer.StoreTradesAsync(Topic, ("none", "other", 0), ("third", "type3", 0));
        Pulls.Answered(await parked[3], ResponseCode.Success, next: 2, min: 0, max: 2);
        await peer.StoreTradesAsync(Topic, ("last", "type19", 0));
        Assert.Equal(["last"], Pulls.Bodies(await parked[19]));
        Assert.Equal(2, parked.Count(pull => pull.IsCompleted));
        Assert.Equal(0, (await peer.FiltersAsync(Topic)).LookedAt);
    }

    [Fact]
    public async Task Parked_SubscriptionThatGoesMeanwhile_IsStillAnswered()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync("G1", Topic, "messageType = 'a'");
        await peer.SubscribeAsync("G2", Topic, "messageType = 'b'");
        await peer.StoreTradesAsync(Topic, ("first", "c", 0));
        Task<RemotingCommand> parked = await peer.ParkAsync(HeaderOf("G1", offset: 1, suspendMs: LongMs));
        await peer.StoreTradesAsync(Topic, ("second", "c", 0));

        // Somebody else has its number then.
        await peer.SubscribeAsync("G1", Topic, "messageType = 'd'", version: 2);
        await peer.SubscribeAsync("G3", Topic, "messageType = 'e'");
        await peer.StoreTradesAsync(Topic, ("third", "e", 0), ("fourth", "a", 0));

        Assert.Equal(["fourth"], Pulls.Bodies(await parked));
    }

    [Fact]
    public async Task ParkedPops_ManyGroups_OnlyThoseWhoseMessageComesAreAnswered()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        Task<RemotingCommand>[] parked = new Task<RemotingCommand>[10];
        for (int i = 0; i < parked.Length; i++)
        {
            await peer.SubscribeAsync($"G{i}", Topic, $"messageType = 'type{i}'");
            parked[i] = PopAsync(peer, $"G{i}", $"messageType = 'type{i}'");
        }

        await peer.StoreTradesAsync(Topic, ("none", "other", 0), ("third", "type3", 0));
        Assert.Equal(["third"], Pulls.Bodies(await parked[3]));

        // Who waits now is not who waited when the targets were sorted; and G4 is waited for by two conditions.
        parked[3] = PopAsync(peer, "G3", "messageType = 'type3'");
        Task<RemotingCommand> unknown = PopAsync(peer, "G4", "messageType = 'late'");
        await peer.StoreTradesAsync(Topic, ("late", "late", 0));
        Assert.Equal(["late"], Pulls.Bodies(await unknown));
        await peer.StoreTradesAsync(Topic, ("again", "type3", 0), ("fourth", "type4", 0));
        Assert.Equal(["again"], Pulls.Bodies(await parked[3]));
        Assert.Equal(["fourth"], Pulls.Bodies(await parked[4]));
        Assert.Equal(2, parked.Count(pop => pop.IsCompleted));
    }

    [Fact]
    public async Task Pop_ByCondition_ReadsAnswers()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync(Pops.Group, Topic, "amount BETWEEN 5 AND 20");
        await peer.StoreTradesAsync(Topic, ("m1", "paid", 5), ("m2", "paid", 21), ("m3", "sent", 20));
        await peer.AnsweredAsync(Topic, 3);

        List<Popped> taken = await peer.TakeAsync(
            Pops.Header(Topic) with { ExpressionType = "SQL92"u8.ToArray(), Expression = "amount BETWEEN 5 AND 20"u8.ToArray() }, 2);

        Assert.Equal(["m1", "m3"], taken.Select(message => message.Body).Order(StringComparer.Ordinal));
        Assert.Equal(0, (await peer.FiltersAsync(Topic)).LookedAt);
    }

    [Fact]
    public async Task Kill_WhatWasAnswered_IsNotLookedAtAgain()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync("G0", Topic, "amount > 1000");
        await peer.SubscribeAsync(Pulls.Group, Topic, "messageType = 'paid'");

        // What clients said is written a moment later; an orderly stop waits for it.
        await broker.RestartAsync();
        peer = broker.Connect("c");
        await peer.StoreTradesAsync(Topic, ("m1", "paid", 5), ("m2", "sent", 20), ("m3", "paid", 30));
        await peer.AnsweredAsync(Topic, 3);

        await broker.KillAsync();

        Peer again = broker.Connect("d");
        Assert.Equal(["m1", "m3"], await again.PullBodiesAsync(Pulls.Group, Topic, "messageType = 'paid'"));
        FilterStats stats = await again.FiltersAsync(Topic);
        Assert.Equal((2, 0), (stats.Expressions, stats.LookedAt));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Kill_AnswersLostOrDamaged_MessagesAreLookedAt(bool lost)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync(Pulls.Group, Topic, "messageType = 'paid'");
        await peer.StoreTradesAsync(Topic, ("m1", "paid", 5), ("m2", "sent", 20), ("m3", "paid", 30));
        await broker.StopAllAsync();
        string answers = Path.Combine(broker.StorePath, "graymq.answers");
        foreach (string file in Directory.GetFiles(answers, "*", SearchOption.AllDirectories))
        {
            byte[] bytes = await File.ReadAllBytesAsync(file);
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)(bytes[i] == 0 ? 0 : ~bytes[i]);
            }

            await File.WriteAllBytesAsync(file, bytes);
        }

        if (lost)
        {
            Directory.Delete(answers, recursive: true);
        }

        await broker.StartAgainAsync();

        Peer again = broker.Connect("d");
        Assert.Equal(["m1", "m3"], await again.PullBodiesAsync(Pulls.Group, Topic, "messageType = 'paid'"));
        Assert.Equal(3, (await again.FiltersAsync(Topic)).LookedAt);
        await again.StoreTradesAsync(Topic, ("m4", "paid", 5), ("m5", "sent", 5));
        Assert.Equal(["m1", "m3", "m4"], await again.PullBodiesAsync(Pulls.Group, Topic, "messageType = 'paid'"));
    }

    [Fact]
    public async Task OldCopyOfTheDatabase_PutBack_AnswersFromAfterItAreNotBelieved()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync(Pulls.Group, Topic, "messageType = 'paid'");
        await broker.StopAllAsync();
        string database = Path.Combine(broker.StorePath, "config", "graymq.db");
        Dictionary<string, byte[]> copy = Directory.GetFiles(database).ToDictionary(file => file, File.ReadAllBytes);
        await broker.StartAgainAsync();
        peer = broker.Connect("b");
        await peer.SubscribeAsync("G2", Topic, "messageType = 'sent'");
        await peer.StoreTradesAsync(Topic, ("m1", "paid", 5), ("m2", "sent", 20));
        await peer.AnsweredAsync(Topic, 2);
        await broker.StopAllAsync();
        Directory.Delete(database, recursive: true);
        Directory.CreateDirectory(database);
        foreach ((string file, byte[] bytes) in copy)
        {
            await File.WriteAllBytesAsync(file, bytes);
        }

        await broker.StartAgainAsync();
        peer = broker.Connect("c");

        // It gets the number that the other one had.
        await peer.SubscribeAsync("G3", Topic, "amount > 1");
        Assert.Equal(["m1", "m2"], await peer.PullBodiesAsync("G3", Topic));
    }

    [Fact]
    public async Task TopicWithoutConditions_NothingIsKept()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.HeartbeatAsync(Pulls.Group, [new SubscriptionData { Topic = Topic, SubString = "a || b", SubVersion = 1 }]);
        await peer.StoreTradesAsync(Topic, ("m1", "paid", 5));

        Assert.False(Directory.Exists(Path.Combine(broker.StorePath, "graymq.answers")));
        Assert.Equal(0, (await peer.FiltersAsync(Topic)).Messages);
    }

    [Fact]
    public async Task DeletedTopic_ThatIsMadeAgain_HasNoOldAnswers()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync(Pulls.Group, Topic, "messageType = 'paid'");
        await peer.StoreTradesAsync(Topic, ("m1", "paid", 5), ("m2", "sent", 5));
        Assert.Equal(ResponseCode.Success, (await peer.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader(Topic))).ResponseCode);
        Assert.False(Directory.Exists(Path.Combine(broker.StorePath, "graymq.answers", Topic)));
        Assert.Equal(ResponseCode.Success, (await peer.CreateTopicAsync(Topic, 1)).ResponseCode);

        await peer.StoreTradesAsync(Topic, ("m3", "sent", 5), ("m4", "paid", 5));

        Assert.Equal(["m4"], await peer.PullBodiesAsync(Pulls.Group, Topic));
    }

    [Fact]
    public async Task SwitchedOff_AnswersAreTheSame()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("filterIndex", "off"));
        Peer peer = await StartAsync(broker);
        await peer.HeartbeatAsync(Pulls.Group, [Condition(Topic, "amount > 10")]);
        Task<RemotingCommand> parked = await peer.ParkAsync(HeaderOf(Pulls.Group, suspendMs: LongMs));
        await peer.StoreTradesAsync(Topic, ("m1", "paid", 5), ("m2", "paid", 20));

        Assert.Equal(["m2"], Pulls.Bodies(await parked));
        FilterStats stats = await peer.FiltersAsync(Topic);
        Assert.Equal((false, 1, 1, 0), (stats.IsIndexed, stats.Subscriptions, stats.NotIndexed, stats.Expressions));
    }

    [Fact]
    public async Task TopicAttribute_NamesThePropertyToIndexBy()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.SubscribeAsync(Pulls.Group, Topic, "amount > 1 AND shop = 'x'");
        Assert.Null((await peer.FiltersAsync(Topic)).IndexedProperty);

        RemotingCommand refused = await peer.SetAttributesAsync(Topic, "+filter.index.property=");
        RemotingCommand set = await peer.SetAttributesAsync(Topic, "+filter.index.property=shop");

        Assert.Equal(ResponseCode.SystemError, refused.ResponseCode);
        Assert.True(set.ResponseCode == ResponseCode.Success, set.Remark);
        await peer.UntilFiltersAsync(Topic, stats => stats.IndexedProperty == "shop");
        await peer.StoreAsync(Topic, "m1", ("shop", "x"), ("amount", "2"));
        await peer.StoreAsync(Topic, "m2", ("shop", "y"), ("amount", "2"));
        Assert.Equal(["m1"], await peer.PullBodiesAsync(Pulls.Group, Topic));
    }

    [Fact]
    public async Task Subscriptions_ThatChangeWhileMessagesCome_NobodyGetsAnythingElse()
    {
        const int Groups = 12;
        const int Rounds = 40;
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer sender = await StartAsync(broker);
        Peer subscriber = broker.Connect("s");
        var random = new Random(4);
        var sent = new List<(string Body, byte[] Properties)>();
        var last = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int round = 0; round < Rounds; round++)
        {
            string group = $"G{random.Next(Groups)}";
            last[group] = RandomExpression(random);
            Task<HeartbeatResponseHeader> subscribing = subscriber.HeartbeatAsync(
                group, [Condition(Topic, last[group], version: round + 1)]);
            for (int i = 0; i < 5; i++)
            {
                (string, string)[] properties =
                [
                    ("messageType", $"t{random.Next(4)}"), ("amount", random.Next(6).ToString(CultureInfo.InvariantCulture)),
                ];
                string body = $"m{sent.Count}";
                await sender.StoreAsync(Topic, body, properties);
                sent.Add((body, Encoding.UTF8.GetBytes(Sends.Properties(properties))));
            }

            await subscribing;
        }

        await sender.DispatchedAsync(Topic, sent.Count);
        foreach ((string group, string text) in last)
        {
            var expression = FilterExpression.Parse(FilterLanguage.Sql92, text);
            Assert.Equal(
                sent.Where(message => expression.Matches(message.Properties)).Select(message => message.Body),
                await sender.PullBodiesAsync(group, Topic));
        }
    }

    private static string RandomExpression(Random random) => random.Next(4) switch
    {
        0 => $"messageType = 't{random.Next(4)}'",
        1 => $"messageType = 't{random.Next(4)}' AND amount > {random.Next(6)}",
        2 => $"messageType <> 't{random.Next(4)}' OR amount = {random.Next(6)}",
        _ => $"amount BETWEEN {random.Next(3)} AND {random.Next(3, 6)}",
    };

    private static async Task<Peer> StartAsync(RunningBroker broker)
    {
        Peer peer = broker.Connect("c");
        Assert.Equal(ResponseCode.Success, (await peer.CreateTopicAsync(Topic, 1)).ResponseCode);
        return peer;
    }

    private static Task<RemotingCommand> PopAsync(Peer peer, string group, string condition) => peer.PopAsync(
        Pops.Header(Topic, pollMs: LongMs, expression: condition, group: group) with { ExpressionType = "SQL92"u8.ToArray() });

    private static PullMessageHeader HeaderOf(string group, long offset = 0, long suspendMs = 0) =>
        Pulls.Header(Topic, offset, expression: null, suspendMs: suspendMs) with { ConsumerGroup = Encoding.UTF8.GetBytes(group) };

    private static SubscriptionData Condition(string topic, string expression, long version = 1) =>
        new() { Topic = topic, SubString = expression, ExpressionType = "SQL92", SubVersion = version };
}
