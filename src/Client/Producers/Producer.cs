using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
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
    private readonly Gate _gate = new();
    private int _started;
    private int _disposed;

    /// <param name="options">Read here: changes made afterwards have no effect.</param>
    /// <param name="loggers">Where to log; null logs nothing.</param>
    /// <param name="time">Where the time comes from; null takes the system's clock.</param>
    /// <exception cref="ArgumentException">A setting is wrong; the message says which.</exception>
    public Producer(ProducerOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = (ProducerOptions)options.Copy();
        loggers ??= NullLoggerFactory.Instance;
        time ??= TimeProvider.System;
        ILogger logger = loggers.CreateLogger<Producer>();
        _session = new ClientSession(
            _options, ClientIdentity.Create(_options.InstanceName), new RequestTable(), loggers, time);
        _encoder = new MessageEncoder(
            _options.CompressBodyFromBytes,
            _options.MaxMessageBytes,
            new UniqueKeyGenerator(ClientIdentity.LocalAddress, Environment.ProcessId, time.LocalTimeZone),
            time);
        _sender = new MessageSender(_session, _options, logger);
        _heartbeats = new Heartbeats(
            _session, ComposeHeartbeat, mastersOnly: true, _options.HeartbeatInterval, logger);
    }

    /// <summary>The id that brokers know this producer by.</summary>
    public string ClientId => _session.ClientId;

    /// <inheritdoc/>
    public async Task<SendResult> SendAsync(Message message, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        Enter();
        try
        {
            return await _sender.SendAsync(_encoder.Encode(message), cancel).ConfigureAwait(false);
        }
        finally
        {
            _gate.Leave();
        }
    }

    /// <inheritdoc/>
    public async Task<SendResult> SendAsync(Message message, MessageQueue queue, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (queue.Topic != message.Topic)
        {
            throw new ArgumentException($"{queue} is no queue of topic {message.Topic}", nameof(queue));
        }

        Enter();
        try
        {
            return await _sender.SendAsync(_encoder.Encode(message), queue, cancel).ConfigureAwait(false);
        }
        finally
        {
            _gate.Leave();
        }
    }

    /// <inheritdoc/>
    public async Task<SendResult> SendAsync(Message message, QueueSelector selector, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(selector);
        Enter();
        try
        {
            OutgoingMessage outgoing = _encoder.Encode(message);
            MessageQueue queue = await SelectAsync(message, selector, cancel).ConfigureAwait(false);
            return await _sender.SendAsync(outgoing, queue, cancel).ConfigureAwait(false);
        }
        finally
        {
            _gate.Leave();
        }
    }

    /// <inheritdoc/>
    public async Task<SendResult> SendBatchAsync(IReadOnlyList<Message> messages, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        Enter();
        try
        {
            return await _sender.SendAsync(_encoder.EncodeBatch(messages), cancel).ConfigureAwait(false);
        }
        finally
        {
            _gate.Leave();
        }
    }

    /// <inheritdoc/>
    public async Task SendOneWayAsync(Message message, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        Enter();
        try
        {
            await _sender.SendOneWayAsync(_encoder.Encode(message), null, cancel).ConfigureAwait(false);
        }
        finally
        {
            _gate.Leave();
        }
    }

    /// <inheritdoc/>
    public async Task SendOneWayAsync(Message message, QueueSelector selector, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(selector);
        Enter();
        try
        {
            OutgoingMessage outgoing = _encoder.Encode(message);
            MessageQueue queue = await SelectAsync(message, selector, cancel).ConfigureAwait(false);
            await _sender.SendOneWayAsync(outgoing, queue, cancel).ConfigureAwait(false);
        }
        finally
        {
            _gate.Leave();
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MessageQueue>> GetQueuesAsync(string topic, CancellationToken cancel = default)
    {
        NameRules.RequireTopic(topic);
        Enter();
        try
        {
            return await _sender.FindQueuesAsync(topic, cancel).ConfigureAwait(false);
        }
        finally
        {
            _gate.Leave();
        }
    }

    /// <summary>Refuses new sends, lets those under way end within their own time limits, tells the brokers and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _gate.CloseAsync().ConfigureAwait(false);
        await _heartbeats.DisposeAsync().ConfigureAwait(false);
        await _heartbeats.UnregisterAsync(_options.Group, null, CancellationToken.None).ConfigureAwait(false);
        await _session.DisposeAsync().ConfigureAwait(false);
    }

    private void Enter()
    {
        ObjectDisposedException.ThrowIf(!_gate.TryEnter(), this);
        if (Volatile.Read(ref _started) == 0 && Interlocked.Exchange(ref _started, 1) == 0)
        {
            _heartbeats.Start();
        }
    }

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
        ProducerDataSet = [new ProducerData { GroupName = _options.Group }],
    };
}
