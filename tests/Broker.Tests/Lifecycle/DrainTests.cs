using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Lifecycle;

public class DrainTests
{
    [Fact]
    public async Task Drain_NobodyThere_IsDrainedAtOnce()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        broker.NameServer.Elsewhere["TBW102"] = LeavingBroker.ReadWrite;

        await broker.DrainAsync();

        await broker.UntilAsync(report => report.State == "drained", "leaving", limit: TimeSpan.Zero);
    }

    [Fact]
    public async Task Drain_TopicTakenElsewhere_IsReadOnlyInTheRoutesAndWritableHere()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer producer = await broker.ProduceAsync();
        DataVersion before = broker.NameServer.Version;

        await broker.DrainAsync();
        await broker.UntilAsync(_ => !broker.NameServer.IsWritable("T"), "the routes", limit: TimeSpan.Zero);

        Assert.NotEqual(before, broker.NameServer.Version);
        RemotingCommand reply = await producer.StoreAsync("T", "while it leaves");
        Assert.True(SendMessageResponseHeader.Read(reply.Fields).Leaving);
        TopicConfig config = await broker.Admin.AskAsync<TopicHeader, TopicConfig>(RequestCode.GetTopicConfig, new TopicHeader("T"));
        Assert.Equal(LeavingBroker.ReadWrite, config.Perm);
    }

    [Fact]
    public async Task Drain_NameServerHasJustComeBack_IsAskedUntilItKnows()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        await broker.ProduceAsync();
        broker.NameServer.IsNotReady = true;

        await broker.DrainAsync();
        await broker.UntilAsync(
            report => report.WaitingFor?.Contains("to know all brokers again", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);
        Assert.True(broker.NameServer.IsWritable("T"));
        broker.NameServer.IsNotReady = false;

        await broker.UntilAsync(_ => !broker.NameServer.IsWritable("T"), "the routes", limit: TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Drain_NameServerNeverKnows_ServesToTheLimitAndLeavesInTime()
    {
        // Short, so that no question takes as long by that clock as it may.
        await using LeavingBroker broker = await LeavingBroker.StartAsync(("drainMaxMs", "4000"));
        Peer producer = await broker.ProduceAsync();
        broker.NameServer.IsNotReady = true;
        await broker.DrainAsync();
        await broker.UntilAsync(
            report => report.WaitingFor?.Contains("to know all brokers again", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);

        int asked = broker.NameServer.Asked;
        broker.Time.Advance(TimeSpan.FromMilliseconds(2_500));
        await Eventually.TrueAsync(() => broker.NameServer.Asked > asked, "another question");
        await producer.StoreAsync("T", "nobody knows where else");
        TimeSpan rest = await broker.UntilAsync(report => report.State == "drained", "leaving", TimeSpan.FromMilliseconds(2_000));

        Assert.True(rest >= TimeSpan.FromMilliseconds(1_400), $"{rest}");
    }

    [Theory]
    [InlineData(null)]
    [InlineData(LeavingBroker.ReadOnly)]
    public async Task Drain_TopicTakenNowhereElse_StaysWritableAndHoldsNothingUp(int? elsewhere)
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer producer = await broker.ProduceAsync(elsewhere);

        await broker.DrainAsync();
        await broker.UntilAsync(report => report.State == "drained", "leaving", limit: TimeSpan.Zero);

        Assert.True(broker.NameServer.IsWritable("T"));
        await producer.StoreAsync("T", "to the end");
        Assert.Equal(["T"], (await broker.ShowAsync()).CannotMove);
    }

    [Fact]
    public async Task Drain_ProducerStillSends_IsServedUntilItWasQuietForLongEnough()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer producer = await broker.ProduceAsync();
        await broker.DrainAsync();
        await broker.UntilAsync(report => report.WaitingFor?.Contains("producers", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);

        broker.Time.Advance(TimeSpan.FromMilliseconds(LeavingBroker.QuietMs - 1000));
        await producer.StoreAsync("T", "late");
        broker.Time.Advance(TimeSpan.FromMilliseconds(LeavingBroker.QuietMs - 1000));
        LifecycleReport still = await broker.ShowAsync();
        TimeSpan rest = await broker.UntilAsync(report => report.State == "drained", "leaving");

        Assert.Equal(("draining", true, false), (still.State, still.Accepting, still.Ready));
        Assert.True(rest < TimeSpan.FromMilliseconds(LeavingBroker.MaxMs - (2 * LeavingBroker.QuietMs)), $"{rest}");
        await producer.RefusedAsync(ResponseCode.ServiceNotAvailable, Sends.Header("T"));
    }

    [Fact]
    public async Task Drain_ProducerHasGone_IsQuietAtOnce()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer producer = await broker.ProduceAsync();
        await producer.DisposeAsync();
        await broker.UntilAsync(report => report.Senders == 0, "the end of the connection", TimeSpan.Zero);

        await broker.DrainAsync();

        await broker.UntilAsync(report => report.State == "drained", "leaving", limit: TimeSpan.Zero);
    }

    [Fact]
    public async Task Drain_ProducerNeverStops_IsRefusedAtTheLimitAndNamed()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer producer = await broker.ProduceAsync();
        await broker.DrainAsync();
        await broker.UntilAsync(report => report.WaitingFor?.Contains("producers", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);

        for (int sent = 0; sent < LeavingBroker.MaxMs; sent += 30_000)
        {
            await producer.StoreAsync("T", "again");
            Assert.Equal("draining", (await broker.ShowAsync()).State);
            broker.Time.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Single((await broker.ShowAsync()).StillSending);
        await broker.UntilAsync(report => report.State == "drained", "leaving");
        await producer.RefusedAsync(ResponseCode.ServiceNotAvailable, Sends.Header("T"));
    }

    [Fact]
    public async Task Drain_AnotherBrokerLeaves_WaitsForItsReturn()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        broker.NameServer.Elsewhere["TBW102"] = LeavingBroker.ReadWrite;
        broker.NameServer.Others = "broker-b";

        // The clock stands while the broker asks about the routes, as below.
        await broker.DrainInStepsAsync();
        LifecycleReport report = await broker.LookedAsync();
        Assert.Contains("broker-b", report.WaitingFor, StringComparison.Ordinal);
        Assert.True(broker.NameServer.IsWritable("TBW102"));
        broker.NameServer.Others = "";

        while (report.WaitingFor?.Contains("broker-b", StringComparison.Ordinal) == true)
        {
            report = await broker.LookAsync();
        }

        await broker.UntilAsync(_ => !broker.NameServer.IsWritable("TBW102"), "the routes", TimeSpan.Zero);
        await broker.UntilAsync(now => now.State == "drained", "leaving");
    }

    [Fact]
    public async Task Drain_AnotherBrokerLeavesForLong_LeavesWithTheTimeThatProducersNeed()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer producer = await broker.ProduceAsync();
        broker.NameServer.Others = "broker-c";

        // The clock stands while the broker asks name servers: what it waits for at most is told by the same clock.
        await broker.DrainInStepsAsync();
        LifecycleReport report = await broker.LookedAsync();
        Assert.Contains("broker-c", report.WaitingFor, StringComparison.Ordinal);
        while (report.WaitingFor?.Contains("broker-c", StringComparison.Ordinal) == true)
        {
            report = await broker.LookAsync();
        }

        await broker.UntilAsync(_ => !broker.NameServer.IsWritable("T"), "the routes", TimeSpan.Zero);

        await producer.StoreAsync("T", "by an old route");
        TimeSpan rest = await broker.UntilAsync(now => now.State == "drained", "leaving");
        Assert.True(rest > TimeSpan.FromMilliseconds(LeavingBroker.QuietMs - 1000), $"{rest}");
        Assert.False(broker.NameServer.HasLease);
    }

    [Fact]
    public async Task Undrain_WhileItLeaves_ServesAsBefore()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer producer = await broker.ProduceAsync();
        await broker.DrainAsync();
        await broker.UntilAsync(_ => !broker.NameServer.IsWritable("T"), "the routes", TimeSpan.Zero);
        int returns = broker.NameServer.Returns;

        LifecycleReport report = await broker.UndrainAsync();

        Assert.Equal(("serving", true, null), (report.State, report.Ready, report.Drain));
        Assert.True(broker.NameServer.IsWritable("T"));
        Assert.Equal(returns + 1, broker.NameServer.Returns);
        RemotingCommand reply = await producer.StoreAsync("T", "two");
        Assert.False(SendMessageResponseHeader.Read(reply.Fields).Leaving);
    }

    [Fact]
    public async Task Undrain_OfADrainedBroker_HandsMessagesOutAgain()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer client = await broker.ProduceAsync(elsewhere: null);
        await broker.DrainAsync();
        await broker.UntilAsync(report => report.State == "drained", "leaving", TimeSpan.Zero);
        Task<RemotingCommand> parked = await client.ParkAsync(Pulls.Header("T", 0, suspendMs: 60_000));

        await broker.UndrainAsync();

        Assert.Equal(["one"], Pulls.Bodies(await parked));
    }

    [Fact]
    public async Task Drain_ConsumerHasNotCommitted_IsGivenTimeAndNothingMore()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer consumer = await broker.ConsumeAsync();
        await consumer.StoreAsync("T", "one");
        await consumer.StoreAsync("T", "two");
        await consumer.DispatchedAsync("T", 2);
        await LeavingBroker.CommitAsync(consumer, 1);
        await consumer.PullAsync(Pulls.Header("T", 1));

        await broker.DrainAsync();
        await broker.UntilAsync(
            report => report.WaitingFor?.Contains("to commit 1 ", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);

        RemotingCommand pulled = await consumer.PullAsync(Pulls.Header("T", 0));
        Assert.Equal(ResponseCode.PullNotFound, pulled.ResponseCode);
        await LeavingBroker.CommitAsync(consumer, 2);
        TimeSpan gone = await broker.UntilAsync(report => report.State == "drained", "leaving");
        Assert.True(gone < TimeSpan.FromMilliseconds(LeavingBroker.ConsumersMs), $"{gone}");
    }

    [Fact]
    public async Task Drain_ConsumerNeverCommits_DoesNotHoldItUpForEver()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer consumer = await broker.ConsumeAsync();
        await consumer.StoreAsync("T", "one");
        await consumer.DispatchedAsync("T", 1);
        await LeavingBroker.CommitAsync(consumer, 0);
        await consumer.PullAsync(Pulls.Header("T", 0));

        await broker.DrainAsync();
        TimeSpan gone = await broker.UntilAsync(report => report.State == "drained", "leaving");

        Assert.InRange(gone.TotalMilliseconds, LeavingBroker.ConsumersMs - 1000, LeavingBroker.MaxMs);
    }

    [Fact]
    public async Task ScaleIn_MessagesAreLeft_WaitsUntilTheyAreConsumedAndLeavesTheRoutes()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer consumer = await broker.ConsumeAsync();
        await consumer.StoreAsync("T", "one");
        await consumer.DispatchedAsync("T", 1);
        await LeavingBroker.CommitAsync(consumer, 0);

        await broker.DrainAsync(scaleIn: true);
        await broker.UntilAsync(
            report => report.WaitingFor?.Contains("1 messages for group G", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);

        // Twice the limit, in steps during which no client is taken for gone.
        for (int i = 0; i < 8; i++)
        {
            broker.Time.Advance(TimeSpan.FromMilliseconds(LeavingBroker.MaxMs / 4));
            await consumer.HeartbeatAsync(Pulls.Group, [new SubscriptionData { Topic = "T", SubString = "*" }]);
            Assert.Equal("draining", (await broker.ShowAsync()).State);
        }

        Assert.False(broker.NameServer.IsUnregistered);
        Assert.Equal(["one"], Pulls.Bodies(await consumer.PullAsync(Pulls.Header("T", 0))));
        await LeavingBroker.CommitAsync(consumer, 1);
        await broker.UntilAsync(report => report.State == "drained", "leaving");
        await Eventually.TrueAsync(() => broker.NameServer.IsUnregistered, "the name server knows");
        Assert.Equal(0, broker.NameServer.Leases.Last().ReturnMs);
    }

    [Fact]
    public async Task ScaleIn_ProducersHaveNowhereElseToGo_WaitsForTheirLastMessageAndRefusesWhatComesAfterIt()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer producer = await broker.ProduceAsync(elsewhere: null);

        await broker.DrainAsync(scaleIn: true);
        await broker.UntilAsync(
            report => report.WaitingFor?.Contains("producers of T, which no other broker takes", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);
        broker.Time.Advance(TimeSpan.FromMilliseconds(LeavingBroker.QuietMs - 1000));
        await producer.StoreAsync("T", "two");
        broker.Time.Advance(TimeSpan.FromMilliseconds(LeavingBroker.QuietMs - 1000));
        Assert.Equal(("draining", false), ((await broker.ShowAsync()).State, broker.NameServer.IsUnregistered));

        await broker.UntilAsync(report => report.State == "drained", "leaving");
        await producer.RefusedAsync(ResponseCode.ServiceNotAvailable, Sends.Header("T"));
        await broker.UndrainAsync();
        await producer.StoreAsync("T", "three");
    }

    [Fact]
    public async Task ScaleIn_MessageStoredBehindTheLastLook_IsConsumedAsWell()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer consumer = await broker.ConsumeAsync();
        Assert.Equal(ResponseCode.Success, (await consumer.CreateTopicAsync("T", 1)).ResponseCode);
        await LeavingBroker.CommitAsync(consumer, 0);

        // It looks twice before it refuses all sends.
        await broker.DrainInStepsAsync(scaleIn: true);
        Assert.StartsWith("a last look", (await broker.LookedAsync()).WaitingFor, StringComparison.Ordinal);
        Assert.StartsWith("a last look", (await broker.LookAsync()).WaitingFor, StringComparison.Ordinal);
        await consumer.StoreAsync("T", "one");
        await consumer.DispatchedAsync("T", 1);

        await broker.UntilAsync(
            report => report.State == "drained" || report.WaitingFor?.Contains("1 messages for group G", StringComparison.Ordinal) == true, "another look");
        await consumer.RefusedAsync(ResponseCode.ServiceNotAvailable, Sends.Header("T"));
        broker.Time.Advance(TimeSpan.FromMilliseconds(LeavingBroker.QuietMs));
        Assert.Equal(("draining", false), ((await broker.ShowAsync()).State, broker.NameServer.IsUnregistered));
        await LeavingBroker.CommitAsync(consumer, 1);
        await broker.UntilAsync(report => report.State == "drained", "leaving");
        await Eventually.TrueAsync(() => broker.NameServer.IsUnregistered, "the name server knows");
    }

    [Fact]
    public async Task ScaleIn_WhatCameLastBecomesADeadLetter_TakesSendsThatHaveNowhereElseToGoAgain()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer producer = await broker.ProduceAsync(elsewhere: null);
        Peer consumer = await broker.ConsumeAsync();
        ReceivedMessage message = Assert.Single(Pulls.Messages(await consumer.PullAsync(Pulls.Header("T", 0))));
        await LeavingBroker.CommitAsync(consumer, 1);

        // In steps that are shorter than those of its looks: what follows is to come between two of them.
        await broker.DrainAsync(scaleIn: true);
        await Eventually.TrueAsync(
            async () =>
            {
                broker.Time.Advance(TimeSpan.FromMilliseconds(20));
                return (await broker.ShowAsync()).WaitingFor?.Contains("every send was refused", StringComparison.Ordinal) == true;
            },
            "the last look");
        await producer.RefusedAsync(ResponseCode.ServiceNotAvailable, Sends.Header("T"));
        RemotingCommand dead = await consumer.AskAsync(RequestCode.ConsumerSendMessageBack, new ConsumerSendMessageBackHeader
        {
            Group = Pulls.Group,
            PhysicalOffset = message.PhysicalOffset,
            DelayLevel = -1,
            OriginTopic = "T",
            MaxReconsumeTimes = 16,
        });
        Assert.Equal(ResponseCode.Success, dead.ResponseCode);
        await Eventually.TrueAsync(async () => await consumer.MaxOffsetAsync("%DLQ%G") == 1, "the dead letter is there");
        await broker.UntilAsync(report => report.WaitingFor?.Contains("1 messages in %DLQ%G", StringComparison.Ordinal) == true, "the dead letter");

        // It may stay there for days.
        await Eventually.TrueAsync(
            async () =>
            {
                broker.Time.Advance(TimeSpan.FromSeconds(1));
                return (await producer.SendAsync(Sends.Header("T"))).ResponseCode == ResponseCode.Success;
            },
            "sends are taken");
        Assert.Equal(("draining", false), ((await broker.ShowAsync()).State, broker.NameServer.IsUnregistered));
        await broker.DrainAsync(scaleIn: true, abandon: true);
        await broker.UntilAsync(report => report.State == "drained", "leaving");
        await producer.RefusedAsync(ResponseCode.ServiceNotAvailable, Sends.Header("T"));
    }

    [Fact]
    public async Task ScaleIn_Abandon_WaitsForNobodyWhoIsAway()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer consumer = await broker.ProduceAsync(elsewhere: null);
        await LeavingBroker.CommitAsync(consumer, 0);

        await broker.DrainAsync(scaleIn: true, abandon: true);
        await broker.UntilAsync(report => report.State == "drained", "leaving");

        await Eventually.TrueAsync(() => broker.NameServer.IsUnregistered, "the name server knows");
        Assert.Equal(1, (await broker.ShowAsync()).Backlog["G*"]);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task ScaleIn_WhileItLeavesWithoutWaitingForConsumers_IsRefused(bool scaleIn, bool abandon)
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer consumer = await broker.ProduceAsync(elsewhere: null);
        await LeavingBroker.CommitAsync(consumer, 0);
        await broker.DrainAsync(scaleIn, abandon);

        RemotingCommand reply = await broker.Admin.AskAsync(RequestCode.DrainBroker, new DrainBrokerHeader { ScaleIn = true, Abandon = false });

        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        Assert.Contains("leaves already", reply.Remark, StringComparison.Ordinal);
        Assert.Equal(scaleIn ? "scaleIn" : "restart", (await broker.ShowAsync()).Drain);
        await broker.UntilAsync(report => report.State == "drained", "leaving");
        await broker.UndrainAsync();
        Assert.Equal("scaleIn", (await broker.DrainAsync(scaleIn: true)).Drain);
    }

    [Fact]
    public async Task ScaleIn_AskedAgainWithAbandon_GivesUpWhatItWaitsFor()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer consumer = await broker.ProduceAsync(elsewhere: null);
        await LeavingBroker.CommitAsync(consumer, 0);
        await broker.DrainAsync(scaleIn: true);
        await broker.UntilAsync(
            report => report.WaitingFor?.Contains("1 messages for group G*", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);

        // Who asks for a restart or the same again does not give anything up.
        await broker.DrainAsync();
        await broker.DrainAsync(scaleIn: true);
        broker.Time.Advance(TimeSpan.FromMilliseconds(LeavingBroker.MaxMs));
        Assert.Equal("draining", (await broker.ShowAsync()).State);
        await broker.DrainAsync(scaleIn: true, abandon: true);

        await broker.UntilAsync(report => report.State == "drained", "leaving");
        await Eventually.TrueAsync(() => broker.NameServer.IsUnregistered, "the name server knows");
        Assert.Equal(1, (await broker.ShowAsync()).Backlog["G*"]);
    }

    [Fact]
    public async Task Stop_AfterADrain_LeavesTheRouteForTheReturn()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        await broker.DrainAsync();
        await broker.UntilAsync(report => report.State == "drained", "leaving");

        await broker.Broker.StopServingAsync();

        Assert.False(broker.NameServer.IsUnregistered);
        Assert.True(broker.NameServer.Leases.Last().ReturnMs > 0);
        await broker.Broker.StartAgainAsync();
        Assert.True(broker.NameServer.Returns > 0);
    }

    [Fact]
    public async Task Leaving_ClientsOfThisProject_AreTold()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        var told = new TaskCompletionSource<NotifyBrokerLeavingHeader>(TaskCreationOptions.RunContinuationsAsynchronously);
        Peer consumer = broker.Broker.Connect("c", answers => answers.On<NotifyBrokerLeavingHeader>(
            RequestCode.NotifyBrokerLeaving,
            (_, header) =>
            {
                told.TrySetResult(header);
                return ValueTask.CompletedTask;
            }));
        await consumer.HeartbeatAsync(Pulls.Group, [new SubscriptionData { Topic = "T", SubString = "*" }]);

        await broker.DrainAsync();

        NotifyBrokerLeavingHeader header = await told.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((RunningBroker.Name, true), (header.BrokerName, header.Leaving));
    }

    [Fact]
    public async Task Stop_OfADrainedBroker_AnswersThePullsThatWait()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer client = await broker.ProduceAsync(elsewhere: null);
        await broker.DrainAsync();
        await broker.UntilAsync(report => report.State == "drained", "leaving", TimeSpan.Zero);
        Task<RemotingCommand> parked = await client.ParkAsync(Pulls.Header("T", 0, suspendMs: 60_000));

        await broker.Broker.StopServingAsync();

        RemotingCommand reply = await parked;
        Assert.Equal(ResponseCode.PullNotFound, reply.ResponseCode);
        Assert.Equal(0, PullMessageResponseHeader.Read(reply.Fields).NextBeginOffset);
    }

    [Fact]
    public async Task Pop_WhileNothingIsHandedOut_WaitsAndTakesNothing()
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer client = await broker.ProduceAsync(elsewhere: null);
        await broker.DrainAsync();
        await broker.UntilAsync(report => report.State == "drained", "leaving", TimeSpan.Zero);

        RemotingCommand popped = await client.PopAsync(Pops.Header("T"));

        Assert.Equal(ResponseCode.PollingTimeout, popped.ResponseCode);
        Assert.Equal(0, (await broker.ShowAsync()).PopsInFlight);
        await broker.UndrainAsync();
        Assert.Equal(ResponseCode.Success, (await client.PopAsync(Pops.Header("T"))).ResponseCode);
    }
}
