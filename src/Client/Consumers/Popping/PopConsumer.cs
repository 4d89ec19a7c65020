using GrayMQ.Client.Consumers.Memberships;
using GrayMQ.Client.Consumers.Requests;
using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Telemetry;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// Receives messages of any queue of its topics when the application wants them, and acknowledges them one by one. Nobody shares queues
/// out and no offsets are kept: a message that was received stays invisible to others for a while, and comes again, to anybody, unless it
/// is acknowledged until then. It may be used from any number of threads at once.
/// </summary>
public sealed class PopConsumer : IAsyncDisposable
{
    private readonly PopConsumerOptions _options;
    private readonly GroupMembership _membership;
    private readonly PopAssignments _assignments;
    private readonly PopCaller _caller;
    private readonly AckLanes _acks;
    private readonly PopReceiver _receiver;
    private readonly ReceiveTelemetry _telemetry;

    /// <param name="options">Read here: changes made afterwards have no effect.</param>
    /// <param name="loggers">Where to log; null logs nothing.</param>
    /// <param name="time">Where the time comes from; null takes the system's clock.</param>
    /// <exception cref="ArgumentException">A setting is wrong; the message says which.</exception>
    public PopConsumer(PopConsumerOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = (PopConsumerOptions)options.Copy();
        loggers ??= NullLoggerFactory.Instance;
        _membership = PopMembership.Create(_options, loggers.CreateLogger<PopConsumer>(), loggers, time ?? TimeProvider.System);
        _assignments = new PopAssignments(_membership, _options.AssignmentInterval);
        _caller = new PopCaller(_membership.Session, _options);
        _acks = new AckLanes(_caller, _membership.Logger);
        _receiver = new PopReceiver(_membership, _assignments, _caller, _acks, _options);
        _telemetry = new ReceiveTelemetry(_options.Group, _membership.Session.Time);
        _membership.Serve(new Inside(this));
    }

    /// <summary>Changes whether this consumer takes part in gray releases, and whether it is gray; brokers are told at once.</summary>
    public void SetGray(bool graySwitch, bool grayFlag) => _membership.Session.Gray.Set(graySwitch, grayFlag);

    /// <summary>The id that brokers know this consumer by.</summary>
    public string ClientId => _membership.Session.ClientId;

    /// <summary>What it receives from now: queue id −1 stands for all queues of a broker.</summary>
    public IReadOnlyCollection<MessageQueue> Queues => _assignments.Targets;

    /// <summary>Consumes a topic's messages with certain tags.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="tags"><c>TagA || TagB</c>, or <c>*</c> for all messages.</param>
    /// <exception cref="ArgumentException">The topic's name or the expression is wrong.</exception>
    public void Subscribe(string topic, string tags = SubscriptionData.SubscribeAll) =>
        Subscribe(topic, MessageSelector.ByTag(tags));

    /// <summary>Consumes a topic's messages as far as they are wanted. All consumers of a group have to subscribe alike.</summary>
    /// <exception cref="ArgumentException">The topic's name is wrong.</exception>
    public void Subscribe(string topic, MessageSelector selector) => _membership.Subscribe(topic, selector);

    /// <summary>Consumes no further messages of a topic.</summary>
    public void Unsubscribe(string topic) => _membership.Unsubscribe(topic);

    /// <summary>Joins the group. What cannot be reached now is tried again until it can be: that is no error here.</summary>
    /// <exception cref="InvalidOperationException">It has been started or stopped before.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        _membership.Lifecycle.Start();
        await _membership.JoinAsync(cancel).ConfigureAwait(false);
        await _assignments.StartAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Messages of one broker; waits until there is one, or the token is cancelled.</summary>
    /// <inheritdoc cref="ReceiveAsync(TimeSpan, CancellationToken)"/>
    public async Task<IReadOnlyList<PoppedMessage>> ReceiveAsync(CancellationToken cancel = default)
    {
        while (true)
        {
            // Throws when the consumer is stopped meanwhile.
            IReadOnlyList<PoppedMessage> messages = await ReceiveAsync(_options.PollTime, cancel).ConfigureAwait(false);
            if (messages.Count > 0)
            {
                return messages;
            }
        }
    }

    /// <summary>
    /// Messages of one broker, those of one queue in their order. They come again after <see cref="PopOptions.InvisibleTime"/> unless they
    /// are acknowledged.
    /// </summary>
    /// <param name="wait">How long to wait for a first message; zero only asks.</param>
    /// <param name="cancel">Gives up waiting; a message that arrives all the same is handed to the next who receives here.</param>
    /// <returns>At most <see cref="PopOptions.BatchSize"/> messages; none when the time is over.</returns>
    /// <exception cref="InvalidOperationException">The consumer has not been started, or has been stopped.</exception>
    /// <exception cref="BrokerException">All brokers refuse, for instance because they do not know pop, or the group.</exception>
    public Task<IReadOnlyList<PoppedMessage>> ReceiveAsync(TimeSpan wait, CancellationToken cancel = default)
    {
        RequireRunning();
        long started = _membership.Session.Time.GetTimestamp();
        Task<IReadOnlyList<PoppedMessage>> receiving = _receiver.ReceiveAsync(wait, cancel);
        return ReceiveTelemetry.IsOn
            ? _telemetry.RecordAsync(started, receiving, static popped => popped.Message)
            : receiving;
    }

    /// <summary>Acknowledges a message: it will not come again.</summary>
    /// <exception cref="BrokerException">
    /// The broker refused, for instance because the message's queue does not have it. One whose time is over may be taken without effect.
    /// </exception>
    /// <exception cref="RouteNotFoundException">The broker is not there.</exception>
    /// <exception cref="TimeoutException">No answer came in time: it may have been taken. To acknowledge again does no harm.</exception>
    /// <exception cref="IOException">The broker cannot be reached.</exception>
    public Task AckAsync(PoppedMessage message, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return AckAsync(message.Handle, cancel);
    }

    /// <inheritdoc cref="AckAsync(PoppedMessage, CancellationToken)"/>
    public Task AckAsync(ReceiptHandle handle, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        RequireRunning();
        return _caller.AckAsync(handle, cancel);
    }

    /// <summary>
    /// Acknowledges messages, those of each broker in one request where the broker knows that. It does not tell whether a message of such a
    /// request was still there to be acknowledged.
    /// </summary>
    /// <exception cref="AckException">Some could not be acknowledged; the others are.</exception>
    public Task AckAsync(IEnumerable<PoppedMessage> messages, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return AckAsync(messages.Select(message => message.Handle), cancel);
    }

    /// <inheritdoc cref="AckAsync(IEnumerable{PoppedMessage}, CancellationToken)"/>
    public async Task AckAsync(IEnumerable<ReceiptHandle> handles, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(handles);
        RequireRunning();
        IReadOnlyList<(ReceiptHandle Handle, Exception Error)>[] failures = await Task.WhenAll(handles
            .GroupBy(handle => handle.BrokerName)
            .Select(broker => _caller.AckAllAsync([.. broker], cancel))).ConfigureAwait(false);
        (ReceiptHandle Handle, Exception Error)[] failed = [.. failures.SelectMany(broker => broker)];
        if (failed.Length > 0)
        {
            Exception error = failed[0].Error;
            throw new AckException(
                $"{failed.Length} messages could not be acknowledged: {error.Message}", [.. failed.Select(each => each.Handle)], error);
        }
    }

    /// <summary>Has a message come again after this time from now, instead of the time that it was received with: sooner, or later.</summary>
    /// <returns>The message with its new handle; the old one is void.</returns>
    /// <inheritdoc cref="AckAsync(PoppedMessage, CancellationToken)"/>
    public async Task<PoppedMessage> ChangeInvisibleAsync(
        PoppedMessage message, TimeSpan invisible, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        DateTimeOffset until = _membership.Session.Time.GetUtcNow() + invisible;
        ReceiptHandle handle = await ChangeInvisibleAsync(message.Handle, invisible, cancel).ConfigureAwait(false);
        return message with { Handle = handle, InvisibleUntil = until };
    }

    /// <returns>The new handle; the old one is void.</returns>
    /// <inheritdoc cref="ChangeInvisibleAsync(PoppedMessage, TimeSpan, CancellationToken)"/>
    public Task<ReceiptHandle> ChangeInvisibleAsync(ReceiptHandle handle, TimeSpan invisible, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(invisible, TimeSpan.Zero);
        RequireRunning();
        return _caller.ChangeInvisibleAsync(handle, invisible, cancel);
    }

    /// <inheritdoc cref="PushConsumer.ReplyAsync"/>
    public Task ReplyAsync(ReceivedMessage request, ReadOnlyMemory<byte> body, CancellationToken cancel = default) =>
        _membership.ReplyAsync(request, body, cancel);

    /// <summary>
    /// Receives nothing more, leaves the group and closes the connections. What was received and is not acknowledged comes again when its
    /// time is over.
    /// </summary>
    public Task StopAsync() => _membership.Lifecycle.StopAsync(async () =>
    {
        await _assignments.DisposeAsync().ConfigureAwait(false);
        _receiver.Stop();
        await _membership.LeaveAsync().ConfigureAwait(false);
        await _receiver.DisposeAsync().ConfigureAwait(false);
        await _acks.DrainAsync().ConfigureAwait(false);
        await _membership.CloseAsync().ConfigureAwait(false);
    });

    /// <summary>Stops, if that has not been done.</summary>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private void RequireRunning()
    {
        if (!_membership.Lifecycle.IsRunning)
        {
            throw new InvalidOperationException("the consumer has not been started, or has been stopped");
        }
    }

    // What brokers see of the consumer.
    private sealed class Inside(PopConsumer consumer) : IConsumerInside
    {
        public string Group => consumer._options.Group;

        public void OnMembersChanged() => consumer._assignments.Wake();

        // Offsets are the broker's affair.
        public Task ResetOffsetsAsync(string topic, IReadOnlyDictionary<MessageQueue, long> offsets) => Task.CompletedTask;

        public Dictionary<MessageQueue, long> DescribeOffsets(string topic) => [];

        public ConsumerRunningInfo Describe() => new()
        {
            Properties = ConsumerIdentity.Describe(consumer._options, PopMembership.ConsumeTypeName),
            SubscriptionSet = [.. consumer._membership.Subscriptions.All],
            MqPopTable = consumer._assignments.Targets.ToDictionary(queue => queue, _ => new PopProcessQueueInfo()),
        };

        public Task<ConsumeMessageDirectlyResult?> ConsumeDirectlyAsync(ReceivedMessage message, string brokerName) =>
            Task.FromResult<ConsumeMessageDirectlyResult?>(null);
    }
}
