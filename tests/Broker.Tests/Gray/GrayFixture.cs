using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Gray;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Gray;

/// <summary>A broker that follows a gray state which the test tells.</summary>
internal sealed class GrayFixture : IAsyncDisposable
{
    /// <summary>Queues of a topic where a test does not say how many.</summary>
    public const int Queues = 6;

    private readonly List<StockConsumer> _consumers = [];

    private GrayFixture(ToldState state, RunningBroker broker)
    {
        State = state;
        Broker = broker;
        Admin = broker.Connect("admin");
    }

    public ToldState State { get; }

    public RunningBroker Broker { get; }

    /// <summary>A connection of nobody in particular.</summary>
    public Peer Admin { get; private set; }

    public static Task<GrayFixture> StartAsync(params (string Key, string Value)[] settings) => StartAsync(null, settings);

    /// <param name="loggers">Told what the broker logs; null for nobody.</param>
    public static Task<GrayFixture> StartAsync(ILoggerFactory? loggers, params (string Key, string Value)[] settings) =>
        StartAsync(null, loggers, settings);

    /// <param name="disk">Where it stores; null for the real one.</param>
    /// <inheritdoc cref="StartAsync(ILoggerFactory?, ValueTuple{string, string}[])"/>
    public static Task<GrayFixture> StartAsync(
        IStoreFileSystem? disk, ILoggerFactory? loggers, params (string Key, string Value)[] settings) =>
        StartAsync(disk, loggers, null, settings);

    /// <param name="prepare">Told the directory of its store before it starts; null for nobody.</param>
    /// <inheritdoc cref="StartAsync(IStoreFileSystem?, ILoggerFactory?, ValueTuple{string, string}[])"/>
    public static async Task<GrayFixture> StartAsync(
        IStoreFileSystem? disk, ILoggerFactory? loggers, Action<string>? prepare, params (string Key, string Value)[] settings)
    {
        ToldState state = await ToldState.StartAsync();
        (string, string)[] all =
        [
            ("namesrvAddr", state.Address), ("grayAskIntervalMs", "100"), ("grayReportIntervalMs", "100"), .. settings,
        ];
        return new GrayFixture(state, await RunningBroker.StartAsync(disk, null, all, prepare, loggers));
    }

    public async Task CreateAsync(string topic, int queues = Queues)
    {
        RemotingCommand reply = await Admin.CreateTopicAsync(topic, queues);
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }

    /// <summary>Sends a message, waits until it can be pulled, and returns the queue that the broker says it used.</summary>
    public async Task<int> SendAsync(string topic, string body, bool gray, int queueId, string? tag = null)
    {
        List<(string, string)> properties = [];
        if (tag is not null)
        {
            properties.Add(("TAGS", tag));
        }

        if (gray)
        {
            properties.Add((GrayMark.Property, GrayMark.Value));
        }

        RemotingCommand reply = await Admin.SendAsync(Sends.Header(topic, queueId, Sends.Properties([.. properties])), body);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        SendMessageResponseHeader sent = SendMessageResponseHeader.Read(reply.Fields);
        await Eventually.TrueAsync(
            async () => await Admin.MaxOffsetAsync(topic, sent.QueueId) > sent.QueueOffset, $"{body} comes into queue {sent.QueueId}");
        return sent.QueueId;
    }

    /// <summary>A stock push consumer that rebalances by itself.</summary>
    public StockConsumer Consume(string id, string group, params (string Topic, string Expression)[] subscriptions)
    {
        var consumer = new StockConsumer(Broker.Connect(id), group, subscriptions);
        _consumers.Add(consumer);
        return consumer;
    }

    public async Task<long> CommittedAsync(string group, string topic, int queueId)
    {
        RemotingCommand reply = await Admin.AskAsync(RequestCode.QueryConsumerOffset, new QueryConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(group),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queueId,
            SetZeroIfNotFound = false,
        });
        return reply.ResponseCode == ResponseCode.Success ? OffsetResponseHeader.Read(reply.Fields).Offset : -1;
    }

    /// <summary>Ends a consumer as a killed process would.</summary>
    public async Task KillAsync(StockConsumer consumer)
    {
        _consumers.Remove(consumer);
        await consumer.DisposeAsync();
    }

    public async Task RestartAsync()
    {
        await StopConsumersAsync();
        await Broker.RestartAsync();
        Admin = Broker.Connect("admin");
    }

    /// <summary>Stops the broker, whose clients lose their connections; to be followed by <see cref="StartAgainAsync"/>.</summary>
    public async Task StopAsync()
    {
        await StopConsumersAsync();
        await Broker.StopAllAsync();
    }

    public async Task StartAgainAsync()
    {
        await Broker.StartAgainAsync();
        Admin = Broker.Connect("admin");
    }

    public async ValueTask DisposeAsync()
    {
        await StopConsumersAsync();
        await Broker.DisposeAsync();
        await State.DisposeAsync();
    }

    private async Task StopConsumersAsync()
    {
        foreach (StockConsumer consumer in _consumers)
        {
            await consumer.DisposeAsync();
        }

        _consumers.Clear();
    }
}
