using System.Diagnostics;
using GrayMQ.Client.Gray;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace GrayMQ.Client.Tests.Gray;

public sealed class GrayProducerTests : IAsyncLifetime
{
    private const string Topic = "orders";

    private ScriptedNameServer _nameServer = null!;
    private ScriptedBroker _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _nameServer = await ScriptedNameServer.StartAsync();
        _broker = await ScriptedBroker.StartAsync("a");
        _nameServer.With(Topic, 6, _broker);
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _nameServer.DisposeAsync();
    }

    [Theory]
    [InlineData(false, true, null, null)]
    [InlineData(true, false, null, false)]
    [InlineData(true, true, "true", true)]
    public async Task Message_IsMarked_AsSwitchAndFlagSay(bool graySwitch, bool grayFlag, string? mark, bool? told)
    {
        await using Producer producer = New(graySwitch, grayFlag);

        await producer.SendAsync(Message());

        Assert.Equal(mark, _broker.Sent.Single().Properties.GetValueOrDefault("grayFlag"));
        await Eventually.TrueAsync(() => !_broker.Heartbeats.IsEmpty, "a heartbeat");
        Assert.Equal(told, _broker.Heartbeats.First().ProducerDataSet[0].GrayFlag);
    }

    [Fact]
    public async Task Batch_OfAGrayProducer_IsMarkedMessageByMessage()
    {
        await using Producer producer = New(graySwitch: true, grayFlag: true);
        Message own = Message();
        own.Properties["grayFlag"] = "false";

        await producer.SendBatchAsync([Message(), Message()]);
        await producer.SendAsync(own);

        Assert.False(_broker.Sent.First().Properties.ContainsKey("grayFlag"));
        Assert.Contains("grayFlag", System.Text.Encoding.UTF8.GetString(_broker.Sent.First().Body), StringComparison.Ordinal);
        Assert.Equal("false", _broker.Sent.Last().Properties["grayFlag"]);
    }

    [Fact]
    public async Task Flag_ChangedWhileRunning_IsToldAtOnceAndMarksFromThenOn()
    {
        await using Producer producer = New(graySwitch: false, grayFlag: false);
        await producer.SendAsync(Message());
        await Eventually.TrueAsync(() => !_broker.Heartbeats.IsEmpty, "a first heartbeat");

        producer.SetGray(graySwitch: true, grayFlag: true);

        await Eventually.TrueAsync(() => _broker.Heartbeats.Last().ProducerDataSet[0].GrayFlag == true, "brokers are told");
        await producer.SendAsync(Message());
        Assert.Equal("true", _broker.Sent.Last().Properties["grayFlag"]);
    }

    [Fact]
    public async Task Options_ThatAreReloaded_TakeEffectWhileRunning()
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["NameServers"] = _nameServer.Address });
        var services = new ServiceCollection();
        services.AddGrayMQProducer(configuration);
        await using ServiceProvider provider = services.BuildServiceProvider();
        IProducer producer = provider.GetRequiredService<IProducer>();
        await producer.SendAsync(Message());

        configuration["GraySwitch"] = "true";
        configuration["GrayFlag"] = "true";
        ((IConfigurationRoot)configuration).Reload();

        await producer.SendAsync(Message());
        Assert.Equal([null, "true"], _broker.Sent.Select(sent => sent.Properties.GetValueOrDefault("grayFlag")));
    }

    [Fact]
    public async Task CallChain_ThatIsGray_IsCarriedBySendsAndBaggage()
    {
        await using Producer normal = New(graySwitch: true, grayFlag: false);
        string? carried;
        using (GrayContext.Enter(gray: true))
        {
            await Task.Yield();
            carried = Activity.Current?.GetBaggageItem(GrayContext.BaggageName);
            await normal.SendAsync(Message());
            using (GrayContext.Enter(gray: false))
            {
                await normal.SendAsync(Message());
            }
        }

        Assert.Null(Activity.Current);
        await normal.SendAsync(Message());
        using (Activity incoming = new Activity("a call over HTTP").AddBaggage(GrayContext.BaggageName, "true").Start())
        {
            await normal.SendAsync(Message());
        }

        Assert.Equal("true", carried);
        Assert.Equal(["true", null, null, "true"], _broker.Sent.Select(sent => sent.Properties.GetValueOrDefault("grayFlag")));
    }

    [Fact]
    public async Task CallChain_ThatIsGray_ChangesNothingWhereTheSwitchIsOff()
    {
        await using Producer producer = New(graySwitch: false, grayFlag: true);

        using (GrayContext.Enter(gray: true))
        {
            await producer.SendAsync(Message());
        }

        Assert.False(_broker.Sent.Single().Properties.ContainsKey("grayFlag"));
    }

    [Fact]
    public async Task Queue_IsChosenAmongThoseOfTheMessagesSide()
    {
        _nameServer.Gray = State(1, GrayTopicState.On);
        await using Producer producer = New(graySwitch: true, grayFlag: false);
        var selector = new GrayMessageQueueSelector(producer, QueueSelectors.ByHash("key"));

        // The first sends may be done before the state is known: brokers move their messages then.
        await Eventually.TrueAsync(
            () => producer.QueuesOf(Side.Gray, Topic, [new MessageQueue(Topic, "a", 0), new MessageQueue(Topic, "a", 1)]).Count == 1,
            "the state is known");
        for (int i = 0; i < 12; i++)
        {
            await producer.SendAsync(Message());
            using (GrayContext.Enter(gray: true))
            {
                await producer.SendAsync(Message());
                await producer.SendAsync(Message(), selector.Select);
            }
        }

        Assert.Equal([0, 5], QueuesOf("true"));
        Assert.Equal([1, 2, 3, 4], QueuesOf(null));

        IEnumerable<int> QueuesOf(string? mark) => _broker.Sent
            .Where(sent => sent.Properties.GetValueOrDefault("grayFlag") == mark)
            .Select(sent => sent.QueueId).Distinct().Order();
    }

    [Fact]
    public async Task State_ThatChanges_IsKnownWithoutAskingForIt()
    {
        MessageQueue[] queues = [new(Topic, "a", 0), new(Topic, "a", 1)];
        _nameServer.Gray = State(1, GrayTopicState.Off);

        // It would ask by itself long after this test has given up.
        await using var producer = new Producer(new ProducerOptions
        {
            NameServers = _nameServer.Address,
            GraySwitch = true,
            RouteRefreshInterval = TimeSpan.FromHours(1),
        });
        Assert.Equal(2, producer.QueuesOf(Side.Gray, Topic, queues).Count);
        await Eventually.TrueAsync(() => _nameServer.Watchers > 0, "the client watches");

        _nameServer.TellGray(State(2, GrayTopicState.On));

        await Eventually.TrueAsync(() => producer.QueuesOf(Side.Gray, Topic, queues).Count == 1, "the change is known");
    }

    private static GraySnapshot State(long version, GrayTopicState state) => new()
    {
        Version = new GrayVersion("e", version),
        Topics = [new GrayTopic { Name = Topic, Queues = 6, State = state }],
    };

    private static Message Message() => new(Topic, "hello"u8.ToArray());

    private Producer New(bool graySwitch, bool grayFlag) => new(new ProducerOptions
    {
        NameServers = _nameServer.Address,
        GraySwitch = graySwitch,
        GrayFlag = grayFlag,
    });
}
