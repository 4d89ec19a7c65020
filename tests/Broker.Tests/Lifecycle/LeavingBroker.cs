using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>A broker with a clock that the test moves, and a name server that knows who else there is.</summary>
internal sealed class LeavingBroker : IAsyncDisposable
{
    public const int ReadWrite = 6;
    public const int ReadOnly = 4;
    public const int QuietMs = 35_000;
    public const int MaxMs = 120_000;
    public const int ConsumersMs = 10_000;

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    private LeavingBroker(RunningBroker broker, TestNameServer nameServer, ManualTime time)
    {
        Broker = broker;
        NameServer = nameServer;
        Time = time;
        Admin = broker.Connect("admin");
    }

    public RunningBroker Broker { get; }

    public TestNameServer NameServer { get; }

    public ManualTime Time { get; }

    /// <summary>Asks about the life cycle.</summary>
    public Peer Admin { get; private set; }

    public static async Task<LeavingBroker> StartAsync(params (string Key, string Value)[] settings)
    {
        TestNameServer nameServer = await TestNameServer.StartAsync();
        var time = new ManualTime();
        RunningBroker broker = await RunningBroker.StartAsync(
            null,
            time,
            [("namesrvAddr", nameServer.Address), ("warmupMs", "0"), ("drainQuietMs", $"{QuietMs}"), ("drainMaxMs", $"{MaxMs}"), ("drainConsumersMs", $"{ConsumersMs}"), .. settings]);
        return new LeavingBroker(broker, nameServer, time);
    }

    /// <summary>A producer that has sent a message to T, which another broker takes messages of as well where <paramref name="elsewhere"/> says so.</summary>
    public async Task<Peer> ProduceAsync(int? elsewhere = ReadWrite)
    {
        Peer producer = Broker.Connect("p");
        await producer.StoreAsync("T", "one");
        await producer.DispatchedAsync("T", 1);
        if (elsewhere is { } permission)
        {
            NameServer.Elsewhere["T"] = permission;
        }

        return producer;
    }

    /// <summary>A consumer of T that its group knows, and that has received nothing.</summary>
    public async Task<Peer> ConsumeAsync()
    {
        Peer consumer = Broker.Connect("c");
        await consumer.HeartbeatAsync(Pulls.Group, [new SubscriptionData { Topic = "T", SubString = "*" }]);
        return consumer;
    }

    /// <summary>The consumer's group is done with the first messages of T.</summary>
    public static async Task CommitAsync(Peer consumer, long offset)
    {
        RemotingCommand reply = await consumer.AskAsync(RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(Pulls.Group),
            Topic = "T"u8.ToArray(),
            CommitOffset = offset,
        });
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }

    /// <summary>Has the broker begin again from what is on its disk, as after kill -9.</summary>
    public async Task KillAsync()
    {
        await Broker.KillAsync();
        Admin = Broker.Connect("admin");
    }

    /// <summary>Has a successor take the broker's place.</summary>
    public async Task ReplaceAsync()
    {
        await Broker.ReplaceAsync();
        Admin = Broker.Connect("admin");
    }

    /// <summary>Stops the broker and starts it again.</summary>
    public async Task RestartAsync()
    {
        await Broker.RestartAsync();
        Admin = Broker.Connect("admin");
    }

    public Task<LifecycleReport> DrainAsync(bool scaleIn = false, bool abandon = false) => Admin.AskAsync<DrainBrokerHeader, LifecycleReport>(
        RequestCode.DrainBroker, new DrainBrokerHeader { ScaleIn = scaleIn, Abandon = abandon });

    public Task<LifecycleReport> UndrainAsync() => Admin.AskAsync<NoHeader, LifecycleReport>(RequestCode.UndrainBroker, default);

    public Task<LifecycleReport> ShowAsync() => Admin.AskAsync<NoHeader, LifecycleReport>(RequestCode.ShowLifecycle, default);

    /// <summary>
    /// As <see cref="DrainAsync"/>, for <see cref="LookAsync"/>: the clock goes on by a time that no other timer has, so that the broker's next
    /// look is known by when it is due.
    /// </summary>
    public Task<LifecycleReport> DrainInStepsAsync(bool scaleIn = false)
    {
        Time.Advance(TimeSpan.FromTicks(1_234_567));
        return DrainAsync(scaleIn);
    }

    /// <summary>Moves the clock to the leaving broker's next look, and lets it stand while the broker looks.</summary>
    public Task<LifecycleReport> LookAsync()
    {
        Time.Advance(LookInterval);
        return LookedAsync();
    }

    /// <summary>Waits until the leaving broker has looked, and only waits for its next look.</summary>
    public async Task<LifecycleReport> LookedAsync()
    {
        LifecycleReport report = new();
        await Eventually.TrueAsync(
            async () =>
            {
                bool waits = Time.UntilTimers.Contains(LookInterval);
                report = await ShowAsync();
                return waits || report.State == "drained";
            },
            "a look of the leaving broker");
        return report;
    }

    /// <summary>Waits for the broker, whose clock goes on meanwhile, by at most <paramref name="limit"/>.</summary>
    /// <returns>How far the clock went.</returns>
    public async Task<TimeSpan> UntilAsync(Func<LifecycleReport, bool> condition, string what, TimeSpan? limit = null)
    {
        var step = TimeSpan.FromMilliseconds(200);
        TimeSpan gone = TimeSpan.Zero;
        DateTimeOffset start = TimeProvider.System.GetUtcNow();
        while (!condition(await ShowAsync()))
        {
            Assert.True(TimeProvider.System.GetUtcNow() - start < TimeSpan.FromSeconds(60), $"{what}: not within a minute");
            if (limit is null || gone < limit)
            {
                Time.Advance(step);
                gone += step;
            }
        }

        return gone;
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        await NameServer.DisposeAsync();
    }
}
