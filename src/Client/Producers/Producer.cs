using System.Diagnostics;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers.Requesting;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Client.Telemetry;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Producers;

/// <summary>
/// Sends messages. One producer serves a whole application: it may be used from any number of threads at once. It connects when it is
/// first used; <see cref="DisposeAsync"/> lets the sends that are under way end, then tells the brokers and closes.
/// </summary>
public sealed class Producer : IProducer, IAsyncDisposable
{
    private readonly ProducerOptions _options;
    private readonly ClientSession _session;
    private readonly MessageEncoder _encoder;
    private readonly MessageSender _sender;
    private readonly Heartbeats _heartbeats;
    private readonly Requester _requester;
    private readonly Replier _replier;
    private readonly Gate _gate = new();
    private int _started;
    private int _disposed;

    /// <param name="options">Read here: changes made afterwards have no effect.</param>
    /// <param name="loggers">Where to log; null logs nothing.</param>
    /// <param name="time">Where the time comes from; null takes the system's clock.</param>
    /// <exception cref="ArgumentException">A setting is wrong; the message says which.</exception>
    public Producer(ProducerOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null)
        : this(options, new RequestTable(), loggers, time)
    {
    }

    /// <param name="requests">What this producer answers when a broker asks.</param>
    internal Producer(ProducerOptions options, RequestTable requests, ILoggerFactory? loggers, TimeProvider? time)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = (ProducerOptions)options.Copy();
        loggers ??= NullLoggerFactory.Instance;
        time ??= TimeProvider.System;
        ILogger logger = loggers.CreateLogger<Producer>();
        var pending = new PendingRequests(time, logger);
        pending.AddTo(requests);
        _session = new ClientSession(_options, ClientIdentity.Create(_options.InstanceName), requests, loggers, time);
        _encoder = MessageEncoder.Create(_options, time, _session.Gray);
        _sender = new MessageSender(_session, _options, logger);
        _heartbeats = new Heartbeats(
            _session, ComposeHeartbeat, mastersOnly: true, _options.HeartbeatInterval, logger);
        _requester = new Requester(_session, _encoder, _sender, _heartbeats, pending);
        _replier = new Replier(_session, _encoder, _sender);
    }

    /// <summary>The id that brokers know this producer by.</summary>
    public string ClientId => _session.ClientId;

    /// <summary>Changes whether this producer takes part in gray releases, and whether it is gray; brokers are told at once.</summary>
    public void SetGray(bool graySwitch, bool grayFlag) => _session.Gray.Set(graySwitch, grayFlag);

    /// <inheritdoc/>
    public async Task<SendResult> SendAsync(Message message, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        using Gate.Pass pass = Enter();
        using Activity? span = SendTelemetry.Start(message.Topic);
        return await SendAsync(message, _encoder.Encode(message), cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<SendResult> SendAsync(Message message, MessageQueue queue, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (queue.Topic != message.Topic)
        {
            throw new ArgumentException($"{queue} is no queue of topic {message.Topic}", nameof(queue));
        }

        using Gate.Pass pass = Enter();
        using Activity? span = SendTelemetry.Start(message.Topic);
        return await _sender.SendAsync(_encoder.Encode(message), queue, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<SendResult> SendAsync(Message message, QueueSelector selector, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(selector);
        using Gate.Pass pass = Enter();
        using Activity? span = SendTelemetry.Start(message.Topic);
        OutgoingMessage outgoing = _encoder.Encode(message);
        MessageQueue queue = await SelectAsync(message, selector, cancel).ConfigureAwait(false);
        return await _sender.SendAsync(outgoing, queue, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<SendResult> SendBatchAsync(IReadOnlyList<Message> messages, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        using Gate.Pass pass = Enter();
        using Activity? span = messages.Count > 0 ? SendTelemetry.Start(messages[0].Topic) : null;
        return await _sender.SendAsync(_encoder.EncodeBatch(messages), cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task SendOneWayAsync(Message message, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        using Gate.Pass pass = Enter();
        using Activity? span = SendTelemetry.Start(message.Topic);
        await _sender.SendOneWayAsync(_encoder.Encode(message), null, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task SendOneWayAsync(Message message, QueueSelector selector, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(selector);
        using Gate.Pass pass = Enter();
        using Activity? span = SendTelemetry.Start(message.Topic);
        OutgoingMessage outgoing = _encoder.Encode(message);
        MessageQueue queue = await SelectAsync(message, selector, cancel).ConfigureAwait(false);
        await _sender.SendOneWayAsync(outgoing, queue, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<string> RecallAsync(string topic, string recallHandle, CancellationToken cancel = default)
    {
        NameRules.RequireTopic(topic);
        ArgumentNullException.ThrowIfNull(recallHandle);
        RecallHandle handle = RecallHandle.Parse(recallHandle);
        if (handle.Topic != topic)
        {
            throw new ArgumentException($"this is the recall handle of a message of topic {handle.Topic}", nameof(recallHandle));
        }

        using Gate.Pass pass = Enter();
        TopicRoute? route = await _session.Routes.FindAsync(topic, cancel).ConfigureAwait(false);
        string address = route?.FindMaster(handle.BrokerName)
            ?? throw new RouteNotFoundException($"no master of broker {handle.BrokerName} is there for topic {topic}");
        var header = new RecallMessageHeader
        {
            ProducerGroup = _options.Group,
            Topic = topic,
            RecallHandle = recallHandle,
            BrokerName = handle.BrokerName,
        };
        RemotingCommand response = await _session.Servers
            .CallAsync(address, RequestCode.RecallMessage, header, limit: _options.SendTimeout, cancel: cancel)
            .ConfigureAwait(false);
        return RecallMessageResponseHeader.Read(response.Fields).MessageId;
    }

    /// <inheritdoc/>
    public async Task<ReceivedMessage> RequestAsync(Message message, TimeSpan timeout, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        using Gate.Pass pass = Enter();
        return await _requester
            .RequestAsync(message, ShardingSelect(message), timeout, cancel)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task ReplyAsync(ReceivedMessage request, ReadOnlyMemory<byte> body, CancellationToken cancel = default)
    {
        using Gate.Pass pass = Enter();
        await _replier.ReplyAsync(request, body, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MessageQueue>> GetQueuesAsync(string topic, CancellationToken cancel = default)
    {
        NameRules.RequireTopic(topic);
        using Gate.Pass pass = Enter();
        return await _sender.FindQueuesAsync(topic, cancel).ConfigureAwait(false);
    }

    /// <summary>Ends with this producer: what keeps it in step with its options.</summary>
    internal IDisposable? OptionsSubscription { get; set; }

    /// <summary>The queues of a topic that a message of one side may go to; all where the topic is not known to be gray.</summary>
    internal IReadOnlyList<MessageQueue> QueuesOf(Side side, string topic, IReadOnlyList<MessageQueue> queues) =>
        MessageSender.OfSide(_session.GrayState.FindLive(topic), side, queues);

    /// <summary>The side of a message that is sent here now.</summary>
    internal Side SideOf(Message message) => _encoder.SideOf(message);

    /// <summary>Makes this producer known to the brokers of topics.</summary>
    internal async Task IntroduceAsync(IReadOnlyCollection<string> topics, CancellationToken cancel)
    {
        foreach (string topic in topics)
        {
            NameRules.RequireTopic(topic);
        }

        using Gate.Pass pass = Enter();
        await _session.Routes.PrepareAsync(topics, cancel).ConfigureAwait(false);
        await _heartbeats.IntroduceAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Sends the first half of a transaction; returns the master that has it as well.</summary>
    internal async Task<(SendResult Sent, string? Address)> PrepareAsync(Message message, CancellationToken cancel)
    {
        using Activity? span = SendTelemetry.Start(message.Topic);
        OutgoingMessage outgoing = _encoder.Encode(
            message,
            MessagePurpose.Transaction,
            (MessageProperty.TransactionPrepared, "true"),
            (MessageProperty.ProducerGroup, _options.Group));
        SendResult sent = await SendAsync(message, outgoing, cancel).ConfigureAwait(false);
        return (sent, _session.Routes.Peek(message.Topic)?.FindMaster(sent.Queue.BrokerName));
    }

    /// <summary>Ends a transaction at the master that has its first half.</summary>
    internal Task<RemotingCommand> EndAsync(string address, EndTransactionHeader header, CancellationToken cancel) =>
        _session.Servers.CallAsync(
            address, RequestCode.EndTransaction, header, limit: _options.SendTimeout, cancel: cancel);

    /// <summary>Lets a caller in, as sends are: closing waits for it.</summary>
    internal Gate.Pass Enter()
    {
        Gate.Pass pass = _gate.Enter(this);
        if (Volatile.Read(ref _started) == 0 && Interlocked.Exchange(ref _started, 1) == 0)
        {
            _heartbeats.Start();
        }

        return pass;
    }

    /// <summary>Refuses new sends, lets those under way end within their own time limits, tells the brokers and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        OptionsSubscription?.Dispose();
        await _gate.CloseAsync().ConfigureAwait(false);
        await _heartbeats.DisposeAsync().ConfigureAwait(false);
        await _heartbeats.UnregisterAsync(_options.Group, null, CancellationToken.None).ConfigureAwait(false);
        await _session.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<SendResult> SendAsync(Message message, OutgoingMessage outgoing, CancellationToken cancel)
    {
        if (ShardingSelect(message) is not { } select)
        {
            return await _sender.SendAsync(outgoing, cancel).ConfigureAwait(false);
        }

        MessageQueue queue = await select(cancel).ConfigureAwait(false);
        return await _sender.SendAsync(outgoing, queue, cancel).ConfigureAwait(false);
    }

    private Func<CancellationToken, Task<MessageQueue>>? ShardingSelect(Message message) =>
        string.IsNullOrEmpty(message.ShardingKey)
            ? null
            : cancel => SelectAsync(message, QueueSelectors.ByHash(message.ShardingKey), cancel);

    private async Task<MessageQueue> SelectAsync(Message message, QueueSelector selector, CancellationToken cancel)
    {
        IReadOnlyList<MessageQueue> queues =
            await _sender.FindQueuesAsync(message.Topic, cancel).ConfigureAwait(false);
        MessageQueue queue = selector(queues, message);
        return queue.Topic == message.Topic
            ? queue
            : throw new ArgumentException($"the selector chose {queue}, which is no queue of topic {message.Topic}");
    }

    private HeartbeatData ComposeHeartbeat() => new()
    {
        ClientId = _session.ClientId,
        ProducerDataSet = [new ProducerData { GroupName = _options.Group, GrayFlag = _session.Gray.Flag }],
    };
}
